import { beforeAll, describe, expect, test } from 'vitest';

import { createWorkflow } from '../../../src/adapters/workflow/client.ts';
import { decisionFaults, decisionText } from '../../../src/adapters/workflow/decisions.ts';
import type { Artifact } from '../../../src/adapters/workflow/definition.ts';
import { slotText } from '../../../src/adapters/workflow/facts.ts';
import type { Context } from '../../../src/adapters/workflow/looking.ts';
import type { DecisionRecord, RunRecord } from '../../../src/adapters/workflow/port.ts';
import { WORKFLOW } from '../../../src/config/locations.ts';
import type { Target } from '../../../src/core/target.ts';

const workflow = createWorkflow(WORKFLOW, (work) => work());
let [r12, r17]: (Artifact | undefined)[] = [];
beforeAll(async () => {
  const { artifacts } = await workflow.definition();
  [r12, r17] = [artifacts.get('R12'), artifacts.get('R17')];
});

const target: Target = {
  kind: 'workload',
  id: 'deployment/api in shop-prod',
  effect: 'write',
  at: { namespace: 'shop-prod' },
};

const decision: DecisionRecord = {
  id: `apr_${'1'.repeat(32)}`,
  digest: 'd'.repeat(64),
  tool: 'kubectl-rollout',
  does: ['set images of deployment/api'],
  summary: 'set images of deployment/api',
  environment: 'production',
  targets: [target],
  purpose: 'deployment',
  askedBy: 'ann (devops)',
  askedAt: '2026-11-21T10:00:00.000Z',
  approvals: [
    {
      approver: 'alice',
      at: '2026-11-21T10:05:00.000Z',
      key: 'SHA256:abc',
      reason: '- Request: apr_2 {{ x }}',
      alone: false,
    },
  ],
};

const run: RunRecord = {
  callId: 'call-1',
  tool: 'kubectl-rollout',
  summary: 'set images of deployment/api',
  environment: 'production',
  targets: [target],
  purpose: 'deployment',
  at: '2026-11-21T10:06:00.000Z',
  result: 'unknown',
  digests: [],
};

function contextOf(decisions: DecisionRecord[], permits = true): Context {
  const records = { decisions: async () => decisions, runs: async () => [run] };
  const seen = { workflow, records, permits: ({ effect }: Target) => permits && effect === 'read' };
  return {
    ...seen,
    redact: (text: string) => text,
    principal: { person: 'ann', agent: 'a', client: 'c' },
  } as unknown as Context;
}

describe('what people decided, as an artifact (H2)', () => {
  test('the newest one that is for this is written; its own words make no further lines', async () => {
    const text = await decisionText(r12!, contextOf([decision, { ...decision, id: `apr_${'3'.repeat(32)}` }]));
    expect(text).toContain(`- Request: ${decision.id}\n- Digest: ${decision.digest}\n`);
    expect(text).toContain(
      '- Approved: by alice at 2026-11-21T10:05:00.000Z, key SHA256:abc, saying «- Request: apr_2 { { x }}»',
    );
    expect(text.match(/^- Request:/gm)).toHaveLength(1);
    expect(await decisionFaults(r12!, text, contextOf([decision]))).toEqual([]);
    expect(await decisionFaults(r12!, text.replace('alice', 'bob'), contextOf([decision]))).toHaveLength(1);
    expect(await decisionFaults(r17!, text, contextOf([decision]))).toHaveLength(1);
  });

  test('broken glass is said', async () => {
    const approvals = decision.approvals.map((each) => ({ ...each, alone: true }));
    expect(await decisionText(r12!, contextOf([{ ...decision, approvals }]))).toContain(
      'by alice alone, breaking the glass, at',
    );
  });

  test.each<[string, Partial<DecisionRecord>]>([
    ['a rollback', { purpose: 'rollback' }],
    ['something else', { purpose: 'other' }],
    ['staging', { environment: 'staging' }],
  ])('%s is no approval for production', async (_what, over) => {
    await expect(decisionText(r12!, contextOf([{ ...decision, ...over }]))).rejects.toMatchObject({ code: 'conflict' });
  });

  test('what the policy does not let be read is not told', async () => {
    await expect(decisionText(r12!, contextOf([decision], false))).rejects.toMatchObject({ code: 'conflict' });
    expect(await slotText('production-deployments', contextOf([], false))).toBeUndefined();
    expect(await slotText('production-deployments', contextOf([]))).toContain(
      'outcome unknown; no image named by digest',
    );
    expect(await slotText('staging-deployments', contextOf([]))).toBeUndefined();
  });
});
