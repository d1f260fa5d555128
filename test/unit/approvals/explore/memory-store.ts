import { DatabaseSync, type StatementSync } from 'node:sqlite';

import { MIGRATIONS } from '../../../../src/store/migrations.ts';
import type { Session, Store } from '../../../../src/store/store.ts';

/** A store in memory that can go back to how it was, and that can die at any statement. */
export interface MemoryStore extends Store {
  /** Does `work`, then makes it undone. */
  undoing<T>(work: () => Promise<T>): Promise<T>;
  /** Lets the statement after this many others fail, as where the process is gone; undefined for none. */
  dieAfter(statements: number | undefined): void;
  /** Everything that is stored, as one text. */
  dump(): string;
}

export function memoryStore(): MemoryStore {
  const database = new DatabaseSync(':memory:');
  for (const statement of MIGRATIONS.flat()) database.exec(statement);
  const statements = new Map<string, StatementSync>();
  let left: number | undefined;
  let depth = 0;

  const query: Session['query'] = async (sql, parameters = []) => {
    if (left !== undefined && left-- <= 0) throw new Error('the process is gone');
    let statement = statements.get(sql);
    if (!statement) statements.set(sql, (statement = database.prepare(sql)));
    return statement.all(...parameters) as never;
  };
  /** Savepoints nest where transactions do not. */
  const saved = async <T>(work: () => Promise<T>, keep: boolean): Promise<T> => {
    const name = `at_${++depth}`;
    database.exec(`SAVEPOINT ${name}`);
    let kept = false;
    try {
      const value = await work();
      kept = keep;
      return value;
    } finally {
      database.exec(`${kept ? '' : `ROLLBACK TO ${name};`} RELEASE ${name}`);
      depth -= 1;
    }
  };

  let within = false;
  return {
    async query(sql, parameters) {
      if (within) throw new Error('outside its own transaction');
      return query(sql, parameters);
    },
    transaction: (work) =>
      saved(async () => {
        within = true;
        try {
          return await work({ query });
        } finally {
          within = false;
        }
      }, true),
    close: async () => database.close(),
    undoing: (work) => saved(work, false),
    dieAfter: (count) => void (left = count),
    dump: () =>
      JSON.stringify(
        ['facts', 'audit_records', 'audit_heads', 'approval_requests', 'approval_decisions', 'approval_steps'].map(
          (table) => database.prepare(`SELECT * FROM ${table}`).all(),
        ),
      ),
  };
}
