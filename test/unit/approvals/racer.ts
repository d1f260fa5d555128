import { once } from 'node:events';

import { createApprovals } from '../../../src/approvals/approvals.ts';
import { openApprovers } from '../../../src/approvals/approvers.ts';
import { openSealKey } from '../../../src/approvals/seal.ts';
import { createAuditLog } from '../../../src/audit/log.ts';
import { openStore } from '../../../src/store/sqlite.ts';
import { AGENT, LIMITS } from './kit.ts';

/** One process of race.test.ts: opens the store, says that it is ready, and at a byte on stdin tries to claim. */
const [state = '', keys = '', id = ''] = process.argv.slice(2);
const store = await openStore(state, { patience: 60_000 });
const audit = createAuditLog({ store });
const approvals = createApprovals({
  store,
  audit,
  approvers: openApprovers(keys),
  sealKey: openSealKey(keys),
  limits: LIMITS,
});
process.stdout.write('ready\n');
await once(process.stdin, 'data');
process.stdin.destroy();
const outcome = await approvals.claim(id, AGENT, String(process.pid)).then(
  ({ fence }) => `claimed ${fence}`,
  (error: { code?: string }) => `refused ${error.code}`,
);
await audit.close();
await store.close();
process.stdout.write(`${outcome}\n`);
