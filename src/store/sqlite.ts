import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as Sqlite from 'node:sqlite';

import { HoldpointError } from '../core/errors.ts';
import { openDatabase } from './database.ts';
import { privateDirectory } from './directory.ts';
import { MIGRATIONS } from './migrations.ts';
import { createQueue } from './queue.ts';
import type { Session, SqlValue, Store } from './store.ts';

/** How long attempts are repeated while another process holds the lock, in milliseconds. */
const PATIENCE = 10_000;
const MAX_STATEMENTS = 200;

/** SQLite's primary result codes (https://www.sqlite.org/rescode.html). */
const BUSY = new Set([5, 6]);
const ENVIRONMENT = new Set([8, 10, 11, 13, 14, 26]);

/**
 * Opens the store of a state directory, making both where they are missing, and brings its tables up to date.
 *
 * @param patience milliseconds to wait for other processes before giving up
 * @throws HoldpointError `unavailable` with what to do: busy, full, damaged, not ours, or made by a newer Holdpoint.
 */
export async function openStore(stateDir: string, { patience = PATIENCE }: { patience?: number } = {}): Promise<Store> {
  privateDirectory(stateDir);
  const file = join(stateDir, 'holdpoint.db');
  const database = await whenFree(patience, () => openDatabase(file));
  const store = sqliteStore(database, patience);
  try {
    await store.transaction(migrate);
  } catch (thrown) {
    database.close();
    throw thrown;
  }
  return store;
}

function sqliteStore(database: Sqlite.DatabaseSync, patience: number): Store {
  const statements = new Map<string, Sqlite.StatementSync>();
  const inTurn = createQueue();

  const execute = <R extends object>(sql: string, parameters: readonly SqlValue[]): R[] => {
    let statement = statements.get(sql);
    if (!statement) {
      if (statements.size >= MAX_STATEMENTS) statements.clear();
      statements.set(sql, (statement = database.prepare(sql)));
    }
    return statement.all(...parameters) as R[];
  };

  return {
    query: (sql, parameters = []) => inTurn(() => whenFree(patience, () => execute(sql, parameters))),

    transaction: (work) =>
      inTurn(async () => {
        await whenFree(patience, () => database.exec('BEGIN IMMEDIATE'));
        let open = true;
        const session: Session = {
          async query(sql, parameters = []) {
            if (!open) throw new Error('This transaction has ended.');
            return translated(() => execute(sql, parameters));
          },
        };
        try {
          const result = await work(session);
          translated(() => database.exec('COMMIT'));
          return result;
        } catch (thrown) {
          // Some errors (a full disk) have ended the transaction already.
          if (database.isTransaction) database.exec('ROLLBACK');
          throw thrown;
        } finally {
          open = false;
        }
      }),

    close: () =>
      inTurn(async () => {
        if (database.isOpen) database.close();
      }),
  };
}

async function migrate(session: Session): Promise<void> {
  await session.query(
    'CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL)',
  );
  const [row] = await session.query<{ version: number | null }>('SELECT max(version) AS version FROM schema_versions');
  const found = row?.version ?? 0;
  if (found > MIGRATIONS.length)
    throw new HoldpointError(
      'unavailable',
      `The store has schema version ${found}; this Holdpoint knows versions up to ${MIGRATIONS.length}.`,
      {
        hint: 'A newer Holdpoint has used this state directory: update this one, or give another with --state.',
      },
    );
  for (const [index, statements] of MIGRATIONS.entries()) {
    if (index < found) continue;
    for (const statement of statements) await session.query(statement);
    await session.query('INSERT INTO schema_versions (version, applied_at) VALUES (?, ?)', [
      index + 1,
      new Date().toISOString(),
    ]);
  }
}

/** Repeats an attempt while another process holds the lock; in between the event loop goes on. */
async function whenFree<T>(patience: number, attempt: () => T): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return attempt();
    } catch (thrown) {
      if (!BUSY.has(resultCode(thrown)) || performance.now() >= deadline) throw translate(thrown);
    }
    await sleep(5 + Math.random() * 20);
  }
}

function translated<T>(attempt: () => T): T {
  try {
    return attempt();
  } catch (thrown) {
    throw translate(thrown);
  }
}

function translate(thrown: unknown): unknown {
  const code = resultCode(thrown);
  if (BUSY.has(code))
    return new HoldpointError('unavailable', 'The store is busy: another process is writing to it.', {
      hint: 'The store was not changed by this. Try again in a few seconds.',
      cause: thrown,
    });
  if (ENVIRONMENT.has(code))
    return new HoldpointError(
      'unavailable',
      `The store cannot be used: ${thrown instanceof Error ? thrown.message : String(thrown)}.`,
      {
        hint: 'The store was not changed by this. Check the state directory (--state): free space, permissions, and that holdpoint.db is undamaged.',
        cause: thrown,
      },
    );
  return thrown;
}

function resultCode(thrown: unknown): number {
  const code = typeof thrown === 'object' && thrown !== null && 'errcode' in thrown ? Number(thrown.errcode) : 0;
  return code & 0xff;
}
