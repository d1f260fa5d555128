import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { createGitHub } from '../../../src/adapters/github/client.ts';
import { createFakeKubernetes, type FakeKubernetes } from '../../../src/adapters/kubernetes/fake.ts';
import type { Firing } from '../../../src/adapters/monitoring/alerts.ts';
import type { RequestBody } from '../../../src/approvals/request.ts';
import type { EvidenceWanted } from '../../../src/core/checklist.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import type { Precondition } from '../../../src/core/plan.ts';
import type { Target } from '../../../src/core/target.ts';
import { createEvidence, type EvidencePorts } from '../../../src/server/evidence.ts';
import { startGitHub, type GitHubServer } from '../../github-server.ts';

const HOUR = 3_600_000;

let github: GitHubServer;
let cluster: FakeKubernetes;
let firing: Firing['alerts'];
let rules: { rule: string; state: string; expr: string }[];
let now: number;
let sha: string;

beforeAll(async () => {
  github = await startGitHub();
  sha = await github.sha('main');
});
afterAll(() => github.close());
beforeEach(() => {
  cluster = createFakeKubernetes(['prod']);
  cluster.deploy({ name: 'api', namespace: 'shop', image: 'api:1' });
  firing = [];
  rules = [{ rule: 'Up', state: 'inactive', expr: 'up' }];
  now = Date.now();
});

const ports = (): EvidencePorts => ({
  github: createGitHub({ url: github.url, token: github.token, second: 5 }),
  kubernetes: cluster.port,
  monitoring: {
    firing: async () => ({ alerts: firing, silenced: 0, inhibited: 0, pending: 0 }),
    rules: async () => rules,
  } as unknown as EvidencePorts['monitoring'],
});

interface Planned {
  targets?: Target[];
  preconditions?: Precondition[];
  path?: string;
}

async function look(
  evidence: EvidenceWanted,
  { targets = [], preconditions = [], path }: Planned = {},
  over: Partial<EvidencePorts> = {},
  repository: string | undefined = 'acme/shop',
) {
  const source = createEvidence({
    ports: { ...ports(), ...over },
    facts: { github: repository === undefined ? {} : { repository } },
    redact: (text) => text.replaceAll('hunter2', '***'),
    now: () => now,
  });
  const steps = path === undefined ? [] : [{ id: 's', does: 'it', call: { method: 'POST', path } }];
  const body = { id: 'apr_1', plan: { targets, preconditions, steps } } as unknown as RequestBody;
  const [found] = await source.look(body, [{ id: 'go/it', phase: 'pre', says: 'It.', evidence, personMayTick: false }]);
  return found;
}

const ref = (value: string): Precondition => ({ id: 'ref:main', says: 'the commit of branch main', value });
const status = (commit: string, state: string, context = 'ci/build') =>
  github.api('POST', `/repos/acme/shop/statuses/${commit}`, { state, context });

describe('I3 evidence: checks of the commit that the call is bound to', () => {
  test('none is unknown; all green is ok; one that runs or is red speaks against it', async () => {
    const commit = await github.write('main', 'one.txt', 'a');
    const plan = { preconditions: [ref(commit)] };
    expect(await look({ kind: 'checks' }, plan)).toMatchObject({
      state: 'unknown',
      says: expect.stringContaining('has no checks'),
    });
    await status(commit, 'success');
    expect(await look({ kind: 'checks' }, plan)).toMatchObject({
      item: 'go/it',
      state: 'ok',
      says: `all 1 checks of ${commit.slice(0, 7)} of acme/shop passed`,
    });
    await status(commit, 'pending', 'ci/slow');
    expect(await look({ kind: 'checks' }, plan)).toMatchObject({
      state: 'failed',
      says: expect.stringContaining('ci/slow pending'),
    });
    await status(commit, 'failure', 'ci/slow');
    expect(await look({ kind: 'checks' }, plan)).toMatchObject({
      state: 'failed',
      says: expect.stringContaining('ci/slow red'),
    });
  });

  test('the repository is the one that the plan goes to, not the configured one', async () => {
    const found = await look(
      { kind: 'checks' },
      { preconditions: [ref(sha)], path: '/repos/acme/other/actions/workflows/1/dispatches' },
    );
    expect(found).toMatchObject({ state: 'unknown', says: expect.not.stringContaining('acme/shop') });
  });

  test.each([
    ['no commit', [], 'the call names no commit'],
    ['two commits', [ref('a'.repeat(40)), { ...ref('b'.repeat(40)), id: 'head' }], 'the call names no commit'],
    ['something else of that name', [ref('main')], 'the call names no commit'],
  ])('%s: unknown', async (_, preconditions, says) => {
    expect(await look({ kind: 'checks' }, { preconditions })).toMatchObject({ state: 'unknown', says });
  });

  test('no repository: unknown', async () => {
    const source = createEvidence({ ports: ports(), facts: { github: {} }, redact: (text) => text });
    const body = { id: 'apr_1', plan: { targets: [], preconditions: [ref(sha)], steps: [] } } as unknown as RequestBody;
    const item = {
      id: 'go/it',
      phase: 'pre' as const,
      says: 'It.',
      evidence: { kind: 'checks' as const },
      personMayTick: true,
    };
    expect((await source.look(body, [item]))[0]).toMatchObject({
      state: 'unknown',
      says: 'which repository is not known',
    });
  });
});

describe('I3 evidence: a workflow that has succeeded within a time', () => {
  const backup = { kind: 'job', workflow: 'backup', within: 24 * HOUR } as const;
  beforeAll(async () => {
    await github.addWorkflow(
      '.github/workflows/backup.yml',
      'name: Backup\non: workflow_dispatch\njobs:\n  dump:\n    runs-on: x\n    steps: [{ run: dump }]\n',
    );
  });
  const finished = async () => {
    const id = await github.startRun('backup.yml', 'main');
    // Every look brings it one stage on.
    for (let looks = 0; looks < 4; looks++) await github.api('GET', `/repos/acme/shop/actions/runs/${id}`);
    return id;
  };

  test('no such workflow is unknown, with the nearest name', async () => {
    expect(await look({ ...backup, workflow: 'backups' })).toMatchObject({
      state: 'unknown',
      says: expect.stringContaining('no workflow'),
    });
  });

  test('no run yet, only failed ones, only old ones: not so; one that succeeded in time: so', async () => {
    expect(await look(backup)).toMatchObject({ state: 'failed', says: 'no run of backup succeeded within 1d' });
    github.failAt('.github/workflows/backup.yml', 'dump', ['disk full']);
    await finished();
    expect(await look(backup)).toMatchObject({ state: 'failed' });
    github.pass('.github/workflows/backup.yml');
    const id = await finished();
    expect(await look(backup)).toMatchObject({
      state: 'ok',
      says: expect.stringContaining(`backup succeeded, run ${id}`),
    });
    expect(await look({ ...backup, job: 'dump' })).toMatchObject({ state: 'ok' });
    expect(await look({ ...backup, job: 'restore' })).toMatchObject({ state: 'failed' });
    now += 25 * HOUR;
    expect(await look(backup)).toMatchObject({ state: 'failed' });
  });

  test('with a clock set back nothing is fresh', async () => {
    await finished();
    now -= 48 * HOUR;
    expect(await look(backup)).toMatchObject({ state: 'unknown', says: expect.stringContaining('clock is behind') });
  });
});

describe('I3 evidence: pods', () => {
  const api: Target = {
    kind: 'workload',
    id: 'deployment/api in shop (context prod)',
    resource: 'deployment',
    effect: 'write',
    at: { kubeContext: 'prod', namespace: 'shop' },
  };

  test('ready, and not any more', async () => {
    expect(await look({ kind: 'pods' }, { targets: [api] })).toMatchObject({
      state: 'ok',
      says: 'ready: deployment/api in shop',
    });
    const gone = { ...api, id: 'deployment/web in shop (context prod)' };
    expect(await look({ kind: 'pods' }, { targets: [api, gone] })).toMatchObject({ state: 'unknown' });
  });

  test.each([
    ['no workload', [{ ...api, kind: 'image' as const }], 'the call names no workload'],
    ['all of a kind', [{ ...api, id: 'deployment/* in shop' }], 'the call names no workload'],
    [
      'one by name and what cannot be told',
      [api, { ...api, resource: 'configmap' }],
      'the call touches more than the workloads it names one by one',
    ],
  ])('%s: unknown', async (_, targets, says) => {
    expect(await look({ kind: 'pods' }, { targets })).toMatchObject({ state: 'unknown', says });
  });
});

describe('I3 evidence: alerts', () => {
  const quiet: EvidenceWanted = { kind: 'alerts', are: 'quiet', matching: [] };
  const configured: EvidenceWanted = { kind: 'alerts', are: 'configured', matching: [] };

  test('quiet as long as none fires', async () => {
    expect(await look(quiet)).toMatchObject({ state: 'ok' });
    firing = [{ labels: { alertname: 'Down' }, annotations: {}, since: 0 }];
    expect(await look(quiet)).toMatchObject({ state: 'failed', says: '1 alerts are firing: Down' });
  });

  test('configured where there are rules that can be evaluated', async () => {
    expect(await look(configured)).toMatchObject({ state: 'ok', says: '1 alert rules are loaded' });
    rules = [...rules, { rule: 'Typo', state: 'error', expr: 'uup' }];
    expect(await look(configured)).toMatchObject({ state: 'failed', says: '1 of 2 alert rules fail: Typo' });
    rules = [];
    expect(await look(configured)).toMatchObject({ state: 'failed' });
  });

  test('a source that is not there, or fails, is unknown with its reason, masked and short', async () => {
    const monitoring = {
      firing: () => Promise.reject(new HoldpointError('unavailable', `Grafana refused hunter2. ${'x'.repeat(500)}`)),
      rules: () => Promise.reject(new TypeError('internal details')),
    } as unknown as EvidencePorts['monitoring'];
    const found = await look(quiet, {}, { monitoring });
    expect(found).toMatchObject({ state: 'unknown', says: expect.stringContaining('Grafana refused ***.') });
    expect(found?.says.length).toBeLessThanOrEqual(200);
    expect(await look(configured, {}, { monitoring })).toMatchObject({
      state: 'unknown',
      says: 'looking at it failed',
    });
  });
});
