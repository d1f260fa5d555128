import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { recordsSince } from '../../../src/audit/read.ts';
import type { AuditRecord } from '../../../src/audit/chain.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { checkedPolicy } from '../../../src/policy/load.ts';
import type { Policy } from '../../../src/policy/policy.ts';
import { NotReplayable, recordedCall } from '../../../src/policy/recorded.ts';
import { replay } from '../../../src/policy/replay.ts';
import { auditKit } from '../audit/kit.ts';
import { newBench, POLICY, type Bench } from '../server/services.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await newBench();
});
afterEach(() => bench.close());

const load = (text: string): Policy =>
  checkedPolicy(text, 'new.yaml', { tools: (name) => bench.services.registry.get(name) });
const replayed = async (policy: Policy, examples = 3) => {
  await bench.services.audit.flush();
  return replay(policy, recordsSince(bench.store, 'opened', 0), examples);
};
/** Without the rule that holds production. */
const LOOSE = POLICY.replace(/ {2}- id: production[\s\S]*?(?= {2}- id: secret)/, '');
const TIGHT = `${POLICY}  - id: closed
    decision: deny
    when: { kind: workload, id: value/a, effect: write }
    reason: This value is closed.
    examples: [{ tool: value, targets: [{ kind: workload, id: value/a, effect: write, at: { namespace: dev } }], expect: deny }]
`.replaceAll(
  'id: value/a, effect: write, at: { namespace: prod }',
  'id: value/b, effect: write, at: { namespace: prod }',
);

async function threeCalls(): Promise<void> {
  await bench.call('value', { name: 'a', namespace: 'prod', to: '2' });
  await bench.call('value', { name: 'a', namespace: 'dev', to: '2' });
  await bench.call('value', { name: 'secret', namespace: 'dev' });
}

describe('I7 holdpoint policy replay', () => {
  it('changes nothing by the policy that decided', async () => {
    await threeCalls();
    expect(await replayed(load(POLICY))).toMatchObject({
      records: 3,
      replayed: 3,
      same: 3,
      loosened: 0,
      tightened: 0,
      inexact: 0,
      notReplayed: [],
      changes: [],
    });
  });

  it('counts what is loosened by the rules that decided, with the calls', async () => {
    await threeCalls();
    await bench.call('value', { name: 'b', namespace: 'prod', to: '3' });
    const report = await replayed(load(LOOSE), 1);
    expect(report).toMatchObject({ replayed: 4, same: 2, loosened: 2, tightened: 0 });
    expect(report.changes).toEqual([
      {
        from: 'require_approval',
        to: 'allow',
        loosened: true,
        was: ['production'],
        now: ['operate'],
        count: 2,
        inexact: 0,
        examples: [
          {
            time: expect.stringMatching(/^\d{4}-/) as string,
            callId: 'call-4',
            tool: 'value',
            principal: 'ann/devops/tests',
            targets: ['write workload value/b'],
            reason: 'Values may be operated.',
          },
        ],
      },
    ]);
  });

  it('what is tightened comes after what is loosened', async () => {
    await threeCalls();
    const report = await replayed(load(TIGHT));
    expect(report).toMatchObject({ same: 1, loosened: 0, tightened: 2 });
    expect(report.changes.map(({ from, to, was, now }) => ({ from, to, was, now }))).toContainEqual({
      from: 'allow',
      to: 'deny',
      was: ['operate'],
      now: ['closed'],
    });
  });

  it('decides by the place that the record keeps: another list of environments is another answer', async () => {
    await threeCalls();
    const moved = POLICY.replace('namespaces: [prod] }', 'namespaces: [live] }')
      .replace('namespaces: [dev] }', 'namespaces: [dev, prod] }')
      .replace('namespace: prod } }], expect: require', 'namespace: live } }], expect: require');
    expect(await replayed(load(moved))).toMatchObject({ same: 2, loosened: 1 });
  });

  it('a masked text makes a record inexact, and says so', async () => {
    await bench.call('value', { name: 'hunter2-known', namespace: 'prod', to: '2' });
    const report = await replayed(load(LOOSE));
    expect(report).toMatchObject({ replayed: 1, inexact: 1, loosened: 1 });
    expect(report.changes[0]?.examples[0]?.inexact).toEqual(['the id of a target is masked in part']);
    expect(JSON.stringify(report)).not.toContain('hunter2');
  });

  it('the run of an approved request is no decision', async () => {
    bench.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
    const { envelope } = await bench.call('value', { name: 'a', namespace: 'prod', to: '2' });
    const id = envelope.approval?.id ?? '';
    const { digest } = await bench.services.approvals.find(id);
    await bench.services.approvals.decide(
      bench.approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: 'yes' }),
    );
    expect((await bench.call('approval', { action: 'run', id })).envelope.status).toBe('done');
    const report = await replayed(load(LOOSE));
    expect(report).toMatchObject({ records: 2, replayed: 1 });
    expect(report.notReplayed).toEqual([{ why: expect.stringContaining('approved request') as string, count: 1 }]);
  });
});

describe('I7 what the log holds of a decision', () => {
  const opened = (data: JsonObject) => recordedCall({ data: { tool: 't', verdict: 'allow', rules: ['r'], ...data } });
  const target = { kind: 'file', id: 'a', effect: 'read', path: 'a', verdict: 'allow' };

  it('gives back the call: tool, principal, targets', () => {
    const at = { namespace: 'prod', kubeContext: 'x' };
    expect(
      opened({
        principal: 'an%2Fn/devops/my%20client',
        targets: [{ kind: 'workload', id: 'w', effect: 'write', resource: 'deployment', at, verdict: 'allow' }],
      }),
    ).toEqual({
      tool: 't',
      principal: { person: 'an/n', agent: 'devops', client: 'my client' },
      targets: [{ kind: 'workload', id: 'w', effect: 'write', resource: 'deployment', at }],
      verdict: 'allow',
      rules: ['r'],
      inexact: [],
    });
  });

  it.each([
    [{ targets: [{ ...target, path: 'a/[redacted]' }] }, ['the path of a target is masked in part']],
    [{ targets: [{ ...target, id: { sha256: 'x', bytes: 900 } }] }, ['the id of a target is too long for the log']],
    [{ targets: [target], targetCount: 51 }, ['only 1 of 51 targets are in the log']],
    [{ targets: Array.from({ length: 50 }, () => target) }, ['only 50 of perhaps more targets are in the log']],
    [{ targets: [target], targetCount: 1 }, []],
  ])('says what it does not hold: %#', (data, inexact) => expect(opened(data as JsonObject).inexact).toEqual(inexact));

  it.each([
    [{ omitted: 'too large: 300000 characters', sha256: 'x' }, 'too large'],
    [{ approval: 'apr_00000000000000000000000000000000' }, 'approved request'],
    [{ targets: 'x' }, 'does not say'],
    [{ targets: [target], verdict: 'maybe' }, 'does not say'],
    [{ targets: [{ ...target, kind: 'thing' }] }, 'not known here'],
    [{ targets: ['(object)'] }, 'not readable'],
    [{ targets: [{ ...target, path: { sha256: 'x', bytes: 900 } }] }, 'too long'],
  ])('cannot be replayed: %#', (data, why) => {
    expect(() => opened(data as JsonObject)).toThrow(NotReplayable);
    expect(() => opened(data as JsonObject)).toThrow(why);
  });
});

describe('I7 the records of a time', () => {
  it('come from every writer, oldest first, from then on, page after page, damaged ones as such', async () => {
    const kit = await auditKit();
    try {
      let now = 1_000_000;
      const logs = [kit.log({ now: () => now }), kit.log({ now: () => now })];
      for (let index = 0; index < 1203; index++) {
        now += index % 3;
        logs[index % 2]?.append({ kind: index % 5 === 0 ? 'closed' : 'opened', data: { index } });
      }
      for (const log of logs) await log.close();
      await kit.store.query("UPDATE audit_records SET record = '{' WHERE record LIKE '%\"index\":999}%'");
      const records: (AuditRecord | undefined)[] = [];
      for await (const record of recordsSince(kit.store, 'opened', 1_000_100)) records.push(record);
      const times = records.flatMap((record) => (record === undefined ? [] : [record.time]));
      expect(times).toEqual(times.toSorted());
      expect(records.filter((record) => record === undefined)).toHaveLength(1);
      const all = await kit.store.query<{ count: number }>(
        "SELECT count(*) AS count FROM audit_records WHERE kind = 'opened' AND time >= ?",
        [new Date(1_000_100).toISOString()],
      );
      expect(records).toHaveLength(all[0]?.count ?? 0);
    } finally {
      await kit.end();
    }
  });
});
