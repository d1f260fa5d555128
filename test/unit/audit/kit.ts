import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createAuditLog, type AuditLog, type AuditLogOptions } from '../../../src/audit/log.ts';
import { exportAudit } from '../../../src/audit/export.ts';
import { storeSource } from '../../../src/audit/read.ts';
import { verifyAudit } from '../../../src/audit/verify.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import type { Store } from '../../../src/store/store.ts';

export interface AuditKit {
  root: string;
  store: Store;
  log(options?: Partial<AuditLogOptions>): AuditLog;
  verify(): ReturnType<typeof verifyAudit>;
  exported(): Promise<string[]>;
  end(): Promise<void>;
}

/** A store of its own in a temporary folder, and logs that write to it. */
export async function auditKit(): Promise<AuditKit> {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-audit-'));
  const store = await openStore(join(root, 'state'));
  return {
    root,
    store,
    log: (options = {}) => createAuditLog({ store, ...options }),
    verify: async () => verifyAudit(await storeSource(store)),
    async exported() {
      const lines: string[] = [];
      for await (const line of exportAudit(store)) lines.push(line);
      return lines;
    },
    async end() {
      await store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
