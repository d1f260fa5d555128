import { createApprovals, type Approvals } from '../approvals/approvals.ts';
import { openApprovers, type Approvers } from '../approvals/approvers.ts';
import { openSealKey } from '../approvals/seal.ts';
import { createAuditLog, type AuditLog } from '../audit/log.ts';
import type { Config } from '../config/config.ts';
import { createRedactor, knownSecrets } from '../redact/redact.ts';
import { createAlarm } from '../server/alarm.ts';
import { evidenceFor } from '../server/evidence-ports.ts';
import { openStore } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';

/** The state that servers and commands share. */
export interface Records {
  store: Store;
  audit: AuditLog;
  approvers: Approvers;
  approvals: Approvals;
  /** Masks secrets in what a person writes down, before it is signed or stored. */
  redact: (text: string) => string;
}

/** Opens the records for one command and closes them after it. */
export async function withRecords(config: Config, use: (records: Records) => Promise<void>): Promise<void> {
  const store = await openStore(config.state);
  const redactor = createRedactor(knownSecrets(config));
  await redactor.ready();
  const audit = createAuditLog({ store, redact: redactor.json });
  const alarm = createAlarm(config.alerts.webhook, redactor.text, (_level, fields, message) =>
    console.error(`holdpoint: ${message}: ${JSON.stringify(fields)}`),
  );
  try {
    const approvers = openApprovers(config.keys);
    const approvals = createApprovals({
      store,
      audit,
      approvers,
      sealKey: openSealKey(config.keys),
      limits: config.approvals,
      evidence: evidenceFor(config, redactor.text),
      alarm: alarm.sound,
    });
    await use({ store, audit, approvers, approvals, redact: redactor.text });
  } finally {
    await alarm.told();
    await audit.close();
    await store.close();
  }
}
