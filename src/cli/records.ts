import { createApprovals, type Approvals } from '../approvals/approvals.ts';
import { openApprovers, type Approvers } from '../approvals/approvers.ts';
import { openSealKey } from '../approvals/seal.ts';
import { createAuditLog, type AuditLog } from '../audit/log.ts';
import type { Config } from '../config/config.ts';
import { createRedactor, secretsOf } from '../redact/redact.ts';
import { openStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';

/** The state that servers and commands share. */
export interface Records {
  store: Store;
  audit: AuditLog;
  approvers: Approvers;
  approvals: Approvals;
}

/** Opens the records for one command and closes them after it. */
export async function withRecords(config: Config, use: (records: Records) => Promise<void>): Promise<void> {
  const store = await openStore(config.state);
  const audit = createAuditLog({ store, redact: createRedactor(secretsOf(config.environment)).json });
  try {
    const approvers = openApprovers(config.keys);
    const approvals = createApprovals({
      store,
      audit,
      approvers,
      sealKey: openSealKey(config.keys),
      limits: config.approvals,
    });
    await use({ store, audit, approvers, approvals });
  } finally {
    await audit.close();
    await store.close();
  }
}
