import { expect, test } from 'vitest';

import { tailAudit } from '../../../src/audit/read.ts';
import { auditKit } from './kit.ts';

test('I8 a damaged record is no internal error: tail says how to find it, export still writes everything out', async () => {
  const kit = await auditKit();
  try {
    const log = kit.log();
    for (const n of [1, 2, 3]) log.append({ kind: 'received', callId: `c${n}`, data: { n } });
    await log.close();
    await kit.store.query(`UPDATE audit_records SET record = 'x' || record WHERE seq = 2`);
    await expect(tailAudit(kit.store, 10)).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('audit verify'),
    });
    expect(await tailAudit(kit.store, 1)).toMatchObject([{ seq: 3 }]);
    expect((await kit.exported()).filter((line) => line.includes('"record":'))).toHaveLength(3);
  } finally {
    await kit.end();
  }
});
