import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { AuditLog } from '../../../src/audit/log.ts';
import type { Mark } from '../../../src/audit/own-calls.ts';
import { auditKit, type AuditKit } from './kit.ts';

let kit: AuditKit;
let log: AuditLog;
beforeEach(async () => {
  kit = await auditKit();
  log = kit.log({});
});
afterEach(async () => {
  await log.close();
  await kit.end();
});

function call(who: string, id: string, tool = 'view'): void {
  log.append({ kind: 'received', callId: id, data: { tool, principal: who } });
  log.append({ kind: 'opened', callId: id, data: { tool, principal: who, verdict: 'allow' } });
  log.append({ kind: 'closed', callId: id, data: { status: 'done' } });
}

describe('a principal’s own calls (B7)', () => {
  test('are found newest first, up to the last one, with what was decided and how they ended', async () => {
    for (let index = 0; index < 5; index++) {
      call('ann', `a${index}`);
      call('bob', `b${index}`);
    }
    log.append({ kind: 'received', callId: 'a5', data: { tool: 'view', principal: 'ann' } });
    const { calls, next } = await log.callsOf('ann', { limit: 3 });
    expect(calls.map(({ id }) => id)).toEqual(['a5', 'a4', 'a3']);
    expect(calls[0]).not.toHaveProperty('closed');
    expect(calls[1]).toMatchObject({
      received: { tool: 'view' },
      opened: { verdict: 'allow' },
      closed: { status: 'done' },
    });
    const rest = await log.callsOf('ann', { limit: 3, before: next });
    expect(rest.calls.map(({ id }) => id)).toEqual(['a2', 'a1', 'a0']);
  });

  test('behind thousands of others’ are reached page by page, none twice', async () => {
    call('ann', 'first');
    for (let index = 0; index < 2000; index++) call('bob', `b${index}`);
    await log.flush();
    for (let index = 0; index < 100; index++) call('bob', `c${index}`);
    call('ann', 'last');
    await log.flush();
    const found: string[] = [];
    let pages = 0;
    let before: Mark | undefined;
    do {
      const page = await log.callsOf('ann', { limit: 10, before });
      found.push(...page.calls.map(({ id }) => id));
      before = page.next;
      pages++;
    } while (before && pages < 10);
    expect(found).toEqual(['last', 'first']);
    expect(pages).toBe(2);
  });

  test('of nobody there are none, and a name is taken as it is', async () => {
    call('ann', 'a');
    await log.flush();
    expect(await log.callsOf('an%', { limit: 10 })).toEqual({ calls: [] });
    expect(await log.callsOf("ann' OR 1=1", { limit: 10 })).toEqual({ calls: [] });
  });
});
