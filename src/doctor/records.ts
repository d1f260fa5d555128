import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';

import { isProtected, readApprover } from '../approvals/approver-file.ts';
import type { Head } from '../audit/chain.ts';
import { readPlace } from '../audit/places/places.ts';
import { storeSource } from '../audit/read.ts';
import { verifyAudit } from '../audit/verify.ts';
import type { Config } from '../config/config.ts';
import { openDatabaseToRead } from '../store/database.ts';
import { MIGRATIONS } from '../store/migrations.ts';
import type { SqlValue, Store } from '../store/store.ts';
import { failed, type Check, type Finding } from './check.ts';

/** Milliseconds for the log: less than a check may take, so that it is this check that says so. */
const LIMIT = 4000;

/** The store and the audit log in it. */
export const records: Check = {
  what: 'store',
  async run({ config, signal }) {
    const file = join(config.state, 'holdpoint.db');
    if (!existsSync(file))
      return [{ level: 'off', what: 'store', detail: 'nothing stored yet; made at the first start' }];
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT)]);
    const store = openToRead(file, limit);
    try {
      const [row] = await store.query<{ version: number }>('SELECT max(version) AS version FROM schema_versions');
      const version = row?.version ?? 0;
      if (version > MIGRATIONS.length)
        return [
          {
            level: 'fail',
            what: 'store',
            detail: `a newer Holdpoint has used ${file}`,
            fix: 'Update this one, or give another folder with --state.',
          },
        ];
      return [{ level: 'ok', what: 'store', detail: file }, await auditFinding(store, config, limit)];
    } catch (thrown) {
      const fix = 'Check that holdpoint.db is undamaged; put the state directory back from a backup if it is not.';
      return [failed('store', thrown, 'fail', fix)];
    } finally {
      await store.close();
    }
  },
};

async function auditFinding(store: Store, config: Config, limit: AbortSignal): Promise<Finding> {
  const what = 'audit';
  try {
    const outside = await checkpointsOutside(config);
    const { ok, records: count, writers, problems } = await verifyAudit(await storeSource(store), outside);
    if (ok) return { level: 'ok', what, detail: `${count} records of ${writers} writers verify` };
    return {
      level: 'fail',
      what,
      detail: `the log does not verify: ${problems.length} faults in ${count} records`,
      fix: 'holdpoint audit verify says which records; keep a copy of the state directory as it is.',
    };
  } catch (thrown) {
    if (!limit.aborted) return failed(what, thrown);
    const fix = 'holdpoint audit verify takes its time.';
    return { level: 'warn', what, detail: 'the log is too long to verify here', fix };
  }
}

/** What can be read of the places that are configured; what cannot has a finding of its own. */
async function checkpointsOutside({ audit, environment }: Config): Promise<Head[]> {
  const read = await Promise.allSettled(
    audit.checkpoints.map((setting) => readPlace(setting, environment['PATH'] ?? '')),
  );
  return read.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
}

/** Who may approve. The registry itself would make its folder; this only looks. */
export const approvers: Check = {
  what: 'approvers',
  run({ config }) {
    const folder = join(config.keys, 'approvers');
    const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
    const fix = 'holdpoint approver add NAME';
    if (files.length === 0) return [{ level: 'warn', what: 'approvers', detail: 'nobody can approve what waits', fix }];
    const found = files
      .map((file) => file.slice(0, -'.json'.length))
      .map((name) => ({ name, locked: isLocked(folder, name) }));
    const damaged = found.filter(({ locked }) => locked === undefined).map(({ name }) => name);
    if (damaged.length > 0)
      return [
        {
          level: 'fail',
          what: 'approvers',
          detail: `damaged: ${damaged.join(', ')}`,
          fix: `Put the files in ${folder} back from a backup, or delete them and add the approvers again.`,
        },
      ];
    const open = found.filter(({ locked }) => locked === false).map(({ name }) => name);
    const names = found.map(({ name }) => name).join(', ');
    if (open.length === 0) return [{ level: 'ok', what: 'approvers', detail: names }];
    return [
      {
        level: 'warn',
        what: 'approvers',
        detail: `${names}; no passphrase for ${open.join(', ')}`,
        fix: `Whoever can read ${config.keys} can approve in these names. Remove and add them again with a passphrase.`,
      },
    ];
  },
};

/** Whether an approver's keys here have a passphrase; undefined for a file that is none of an approver. */
function isLocked(folder: string, name: string): boolean | undefined {
  try {
    return isProtected(readApprover(join(folder, `${name}.json`), name));
  } catch {
    return undefined;
  }
}

/** The store for reading alone: neither made nor migrated. */
function openToRead(file: string, signal: AbortSignal): Store {
  const database = openDatabaseToRead(file);
  const query = async <R extends object = Record<string, SqlValue>>(
    sql: string,
    parameters: readonly SqlValue[] = [],
  ) => {
    // Each page blocks; in between the time limit must get its turn.
    await breathe();
    signal.throwIfAborted();
    return database.prepare(sql).all(...parameters) as R[];
  };
  return {
    query,
    transaction: () => Promise.reject(new Error('This store is open for reading.')),
    close: async () => database.close(),
  };
}
