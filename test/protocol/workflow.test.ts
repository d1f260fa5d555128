import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  approveTicking,
  holdpoint,
  newPlace,
  overStdio,
  ROOT,
  serverArgs,
  type Agent,
  type Place,
} from '../harness.ts';

const FAKE = join(import.meta.dirname, 'fake-server.ts');
const POLICY = join(ROOT, 'fixtures/policies/flow.yaml');
const IMAGE = `tta-api@sha256:${'a'.repeat(64)}`;

let place: Place;
let agent: Agent;

beforeEach(async () => {
  place = newPlace();
  expect((await holdpoint(place, 'approver', 'add', 'alice')).code).toBe(0);
  agent = await overStdio('2.x', place, serverArgs(place, ['--stdio', '--policy', POLICY], FAKE));
});
afterEach(async () => {
  await agent.close();
  place.remove();
});

const inWorkspace = (path: string) => join(place.workspace, path);
const artifact = (file: string) => `docs/workflow/artifacts/${file}`;
const read = (path: string) => readFileSync(inWorkspace(path), 'utf8');
const state = () =>
  JSON.parse(read('docs/workflow/state.json')) as { nodes: Record<string, { state: string }>; history: unknown[] };

/** What somebody else puts into the workspace. */
function others(path: string, text: string): void {
  mkdirSync(dirname(inWorkspace(path)), { recursive: true });
  writeFileSync(inWorkspace(path), text);
}

const flow = (action: string, args: object = {}) => agent.call('workflow', { action, ...args });

async function ok(action: string, args: object = {}): Promise<Record<string, unknown>> {
  const { envelope, text } = await flow(action, args);
  expect(envelope.status, text).toBe('done');
  return envelope.result as Record<string, unknown>;
}

/** Begins an artifact from its template and fills it in, as an agent would. */
async function write(id: string): Promise<void> {
  const { path } = (await ok('artifact', { id })) as { path: string };
  const text = read(path)
    .replace(/\{\{ nothing on record[^}]*\}\}/g, 'by hand: kubectl')
    .replace(/\{\{[^}]*\}\}/g, 'as agreed with the team');
  const saved = await agent.call('save-file', { path, content: text });
  expect(saved.envelope.status, saved.text).toBe('done');
}

async function node(id: string, ...outputs: string[]): Promise<void> {
  await ok('start', { node: id });
  for (const each of outputs) await write(each);
  expect(await ok('complete', { node: id })).toMatchObject({ state: 'done' });
}

/** A change of the cluster; in production with alice's approval, run. Gives the request's id. */
async function change(namespace: string, args: object, run = true): Promise<string> {
  const base = { kind: 'deployment', name: 'tta-api', namespace, wait: 0 };
  const { envelope, text } = await agent.call('kubectl-rollout', { ...base, ...args });
  if (namespace === 'tta-staging') {
    expect(envelope.status, text).toBe('done');
    return '';
  }
  expect(envelope.status, text).toBe('approval_required');
  const id = envelope.approval?.id ?? '';
  const approved = await approveTicking(place, id, '--as', 'alice', '--reason', 'go `{{ x }}`');
  expect(approved.code, approved.stderr).toBe(0);
  if (run) expect((await agent.call('approval', { action: 'run', id })).envelope.status).toBe('done');
  return id;
}

const deploy = { action: 'set-image', images: { 'tta-api': IMAGE } };

async function upToRelease(): Promise<void> {
  for (const id of ['INFRA01-requirements', 'INFRA02-compute-needs', 'INFRA03-storage-needs'])
    others(artifact(`${id}.md`), `# ${id}\n\nTwo instances.\n`);
  await node('Environment_Design', 'INFRA04', 'INFRA05', 'INFRA06');
  await node('Dev_Environment_Setup', 'INFRA08', 'INFRA09');
  await node('CI_Pipeline_Setup', 'INFRA10', 'INFRA11');
  await node('Staging_Environment_Setup', 'INFRA12', 'INFRA13');
  others(artifact('R04-merge-result.md'), 'Merged as 4f2a.\n');
}

async function upToProduction(): Promise<void> {
  await upToRelease();
  await ok('start', { node: 'Build_Release' });
  others(artifact('R06-release-artifacts/api.tgz'), 'bytes');
  await ok('artifact', { id: 'R06' });
  await write('R07');
  await ok('complete', { node: 'Build_Release' });
  await ok('start', { node: 'Deploy_To_Staging' });
  await change('tta-staging', deploy);
  await agent.call('kubectl-rollout', {
    action: 'status',
    kind: 'deployment',
    name: 'tta-api',
    namespace: 'tta-staging',
  });
  await write('R08');
  await write('R09');
  await ok('complete', { node: 'Deploy_To_Staging' });
}

describe('the workflow through a real client (H2; the cluster is a fake)', () => {
  test('goes from node 1 to node 10, on records and approvals that are real', async () => {
    expect(await ok('status')).toMatchObject({
      canStart: [],
      waiting: [
        {
          node: 'Environment_Design',
          for: expect.arrayContaining([expect.stringContaining('INFRA01-requirements.md (architect’s)')]) as string[],
        },
      ],
    });
    await upToProduction();
    const staging = read(artifact('R08-staging-deploy.md'));
    expect(staging).toContain('kubectl-rollout, «set images of deployment/tta-api in tta-staging');
    expect(staging).toContain(`sha256:${'a'.repeat(64)}`);
    expect(read(artifact('R09-smoke-tests.md'))).toContain('status of deployment/tta-api in tta-staging');

    // Without a person's approval there is nothing to write R12 from, and without R12 no start.
    const early = await flow('artifact', { id: 'R12' });
    expect(early.envelope.error).toMatchObject({
      code: 'conflict',
      reason: expect.stringContaining('Nobody has approved') as string,
    });
    const blocked = await flow('start', { node: 'Deploy_To_Production' });
    expect(blocked.envelope.error?.reason).toContain('R12-prod-approval.md (approver’s): it is not there');

    const id = await change('tta-prod', deploy);
    await ok('artifact', { id: 'R12' });
    const approval = read(artifact('R12-prod-approval.md'));
    const shown = JSON.parse((await holdpoint(place, 'approvals', 'show', id, '--json')).stdout) as {
      digest: string;
      decisions: { key: string }[];
    };
    for (const fact of [id, shown.digest, shown.decisions[0]?.key ?? '?', 'by alice', 'proves nothing by itself'])
      expect(approval).toContain(fact);
    await node('Deploy_To_Production', 'R13', 'R14');
    expect(read(artifact('R13-prod-deploy.md'))).toContain(`approved as ${id}`);
    await node('Post_Deploy_Verification', 'R15', 'R16');
    others(artifact('D21-release-candidate.md'), 'Release candidate 1.0.0.\n');
    await node('Deployment_And_Continuous_Feedback', 'D22', 'D23');
    const end = await ok('status');
    expect(end).toMatchObject({ active: [], changed: [] });
    expect(
      Object.entries(state().nodes)
        .filter(([, { state: each }]) => each !== 'done')
        .map(([name]) => name),
    ).toEqual(['Rollback_Deployment']);
  });

  test('goes back by a real decision, and the next release needs its own', async () => {
    await upToProduction();
    await change('tta-prod', deploy);
    await ok('artifact', { id: 'R12' });
    await node('Deploy_To_Production', 'R13', 'R14');
    await ok('start', { node: 'Post_Deploy_Verification' });
    expect((await flow('route', { node: 'Post_Deploy_Verification' })).envelope.error?.reason).toContain(
      'R17-rollback-decision.md',
    );
    const id = await change('tta-prod', { action: 'undo' }, false);
    // An approved deployment is no decision to roll back.
    const old = read(artifact('R12-prod-approval.md'));
    others(artifact('R17-rollback-decision.md'), old);
    expect((await flow('route', { node: 'Post_Deploy_Verification' })).envelope.error?.reason).toContain(
      'no request that people have approved for this',
    );
    await ok('artifact', { id: 'R17' });
    expect(read(artifact('R17-rollback-decision.md'))).toContain(id);
    expect(await ok('route', { node: 'Post_Deploy_Verification' })).toMatchObject({
      state: 'routed',
      ready: ['Rollback_Deployment'],
    });
    expect((await agent.call('approval', { action: 'run', id })).envelope.status).toBe('done');
    await node('Rollback_Deployment', 'R18');
    expect(read(artifact('R18-rollback-result.md'))).toContain(id);
    // The next release: what the last one gave does not do again.
    await ok('start', { node: 'Build_Release' });
    expect(state().nodes['Deploy_To_Production']?.state).toBe('pending');
    expect((await flow('complete', { node: 'Build_Release' })).envelope.error?.reason).toContain(
      'it is the one of the last time',
    );
    others(artifact('R06-release-artifacts/api.tgz'), 'other bytes');
    expect((await flow('complete', { node: 'Build_Release' })).envelope.error?.reason).toContain(
      'api.tgz does not match its checksum',
    );
    await ok('artifact', { id: 'R06' });
    others(
      artifact('R07-version-tag.md'),
      read(artifact('R07-version-tag.md')).replace('as agreed', '1.0.1, as agreed'),
    );
    await ok('complete', { node: 'Build_Release' });
    await ok('start', { node: 'Deploy_To_Staging' });
    for (const each of ['R08-staging-deploy.md', 'R09-smoke-tests.md'])
      others(artifact(each), `${read(artifact(each))}\nAgain.\n`);
    await ok('complete', { node: 'Deploy_To_Staging' });
    expect((await flow('start', { node: 'Deploy_To_Production' })).envelope.error?.reason).toContain(
      'R12-prod-approval.md (approver’s): it is the one of the last time',
    );
  });

  test('people’s decisions are written by this tool alone, and a forged one starts nothing', async () => {
    await upToProduction();
    const denied = await agent.call('save-file', {
      path: artifact('R12-prod-approval.md'),
      content: 'Approved by alice.',
    });
    expect(denied.envelope.status).toBe('denied');
    others(artifact('R12-prod-approval.md'), `# R12\n\n- Request: apr_${'0'.repeat(32)}\n`);
    expect((await flow('start', { node: 'Deploy_To_Production' })).envelope.error?.reason).toContain(
      'names no request that people have approved',
    );
    await change('tta-prod', deploy, false);
    await ok('artifact', { id: 'R12-prod-approval.md' });
    const real = read(artifact('R12-prod-approval.md'));
    others(artifact('R12-prod-approval.md'), real.replaceAll('tta-api', 'tta-web'));
    expect((await flow('start', { node: 'Deploy_To_Production' })).envelope.error?.reason).toContain(
      'not what the ledger says',
    );
    others(artifact('R12-prod-approval.md'), real);
    await ok('start', { node: 'Deploy_To_Production' });
  });

  test('nothing is done without artifacts that say something', async () => {
    for (const id of ['INFRA01-requirements', 'INFRA02-compute-needs', 'INFRA03-storage-needs'])
      others(artifact(`${id}.md`), 'Two instances.\n');
    others(artifact('INFRA03-storage-needs.md'), ' \n');
    expect((await flow('start', { node: '1' })).envelope.error?.reason).toContain(
      'INFRA03-storage-needs.md (architect’s): it is empty',
    );
    others(artifact('INFRA03-storage-needs.md'), '10 GB\n');
    await ok('start', { node: '1' });
    const faults = async () => (await flow('complete', { node: 'Environment_Design' })).envelope.error?.reason ?? '';
    expect(await faults()).toContain('INFRA04-env-specs.md: it is not there');
    expect(await ok('artifact', { id: 'INFRA04', dryRun: false })).toMatchObject({
      lacks: ['it is the template as it came'],
    });
    expect(await faults()).toContain('INFRA04-env-specs.md: it is the template as it came');
    const template = read(artifact('INFRA04-env-specs.md'));
    others(
      artifact('INFRA04-env-specs.md'),
      template.replace('{{ how a developer runs everything on one machine }}', 'make up'),
    );
    expect(await faults()).toMatch(/INFRA04-env-specs\.md: line \d+ has a placeholder that is not filled/);
    others(
      artifact('INFRA04-env-specs.md'),
      template.replace(/\{\{[^}]*\}\}/g, 'yes').replace('## Staging\n\nyes', '## Staging\n'),
    );
    expect(await faults()).toContain('INFRA04-env-specs.md: "Staging" says nothing');
    others(
      artifact('INFRA04-env-specs.md'),
      template.replace(/\{\{[^}]*\}\}/g, 'yes').replace('## Production', '## Prod'),
    );
    expect(await faults()).toContain('the heading "Production" is missing');
    expect((await flow('artifact', { id: 'INFRA01' })).envelope.error?.reason).toContain('delivered by architect');
    expect((await flow('artifact', { id: 'INFRA04' })).envelope.error?.hint).toContain('str-replace-editor');
    const dry = await flow('artifact', { id: 'INFRA05', dryRun: true });
    expect(dry.text).toContain('## Modules');
    expect(() => read(artifact('INFRA05-iac-design.md'))).toThrow(/ENOENT/);
  });

  test('a state that was broken by hand is refused with its line, and left as it is', async () => {
    await ok('status');
    others(artifact('INFRA01-requirements.md'), 'x');
    const broken: [string, RegExp][] = [
      ['{ "version": 1,\n oops }', /line 2: this is not JSON/],
      ['{ "version": 2 }', /version 2; this Holdpoint knows version 1/],
      [
        JSON.stringify({ version: 1, workflow: 'pdlc', nodes: {}, history: [] }),
        /the node Environment_Design is missing/,
      ],
      [JSON.stringify({ version: 1, workflow: 'other', nodes: {}, history: [] }), /of the workflow "other"/],
    ];
    for (const [text, says] of broken) {
      others('docs/workflow/state.json', text);
      for (const action of ['status', 'start', 'abandon']) {
        const { envelope } = await flow(action, { node: 'Environment_Design', reason: 'none' });
        expect(envelope.error?.reason).toMatch(says);
      }
      expect(read('docs/workflow/state.json')).toBe(text);
    }
    rmSync(inWorkspace('docs/workflow/state.json'));
    for (const id of ['INFRA01-requirements', 'INFRA02-compute-needs', 'INFRA03-storage-needs'])
      others(artifact(`${id}.md`), 'Two.\n');
    await ok('start', { node: 'Environment_Design' });
    const good = state();
    const forged = {
      ...good,
      nodes: { ...good.nodes, Deploy_To_Staging: { state: 'done', artifacts: { R08: 'f'.repeat(64) } } },
    };
    others('docs/workflow/state.json', JSON.stringify(forged, null, 2));
    const { envelope } = await flow('status');
    expect(envelope.error?.reason).toMatch(/line \d+: Deploy_To_Staging is done without the SHA-256/);
    expect(envelope.error?.hint).toContain('git log');
  });

  test('of two servers that move it at once one is told that it was too late, and nothing is lost', async () => {
    for (const id of ['INFRA01-requirements', 'INFRA02-compute-needs', 'INFRA03-storage-needs'])
      others(artifact(`${id}.md`), 'Two.\n');
    const other = await overStdio('2.x modern', place, serverArgs(place, ['--stdio', '--policy', POLICY], FAKE));
    try {
      for (let round = 0; round < 5; round++) {
        const did = round % 2 === 0 ? 'start' : 'abandon';
        const args = { action: did, node: 'Environment_Design', reason: 'a race' };
        const both = await Promise.all([agent, other].map((each) => each.call('workflow', args)));
        const codes = both.map(({ envelope }) => envelope.error?.code ?? envelope.status);
        expect(codes.filter((code) => code === 'done')).toHaveLength(1);
        expect(['stale', 'conflict']).toContain(codes.find((code) => code !== 'done'));
        expect(state().history).toHaveLength(round + 1);
      }
    } finally {
      await other.close();
    }
  });

  test('a persona may have a workflow of its own, and one that is wrong says where', async () => {
    const folder = join(place.workspace, '../my-persona');
    mkdirSync(join(folder, 'templates'), { recursive: true });
    const put = (file: string, text: string) => writeFileSync(join(folder, file), text);
    put('instructions.md', 'Work.');
    put(
      'persona.yaml',
      `name: mine\ntitle: Mine\ndescription: A persona with its own workflow.\npolicy: ${POLICY}\ntools: [view, workflow]\nworkflow: mine.yaml\n`,
    );
    put('templates/one.md', '# One\n\n## What\n\n{{ what }}\n');
    const yaml = [
      'version: 1',
      'name: mine',
      'artifacts:',
      '  R08: { file: R08-one.md, title: One thing, template: templates/one.md }',
      'nodes:',
      '  - { id: Only, group: Mine, inputs: [], outputs: [R08], next: [], steps: [Do it all.] }',
    ].join('\n');
    put('mine.yaml', yaml);
    await agent.close();
    agent = await overStdio('2.x', place, serverArgs(place, ['--stdio', '--persona', folder]));
    expect((await agent.list()).map(({ name }) => name)).toContain('workflow');
    await node('Only', 'R08');
    expect(state()).toMatchObject({ workflow: 'mine', nodes: { Only: { state: 'done' } } });
    await agent.close();
    put('mine.yaml', yaml.replace('next: []', 'next: [Nowhere]'));
    agent = await overStdio('2.x', place, serverArgs(place, ['--stdio', '--persona', folder]));
    expect((await flow('status')).envelope.error?.reason).toMatch(/mine\.yaml:6: there is no node Nowhere/);
  });

  test('a release is bound by its checksums', async () => {
    await upToRelease();
    await ok('start', { node: 'Build_Release' });
    expect((await flow('artifact', { id: 'R06' })).envelope.error?.reason).toContain('has no files yet');
    others(artifact('R06-release-artifacts/api.tgz'), 'bytes');
    others(artifact('R06-release-artifacts/web/web.tgz'), 'more bytes');
    await ok('artifact', { id: 'R06' });
    const sum = createHash('sha256').update('bytes').digest('hex');
    expect(read(artifact('R06-release-artifacts/SHA256SUMS'))).toContain(`${sum}  api.tgz\n`);
    await write('R07');
    others(artifact('R06-release-artifacts/extra.tgz'), 'slipped in');
    expect((await flow('complete', { node: 'Build_Release' })).envelope.error?.reason).toContain(
      'extra.tgz is not in SHA256SUMS',
    );
    rmSync(inWorkspace(artifact('R06-release-artifacts/extra.tgz')));
    await ok('complete', { node: 'Build_Release' });
    others(artifact('R06-release-artifacts/api.tgz'), 'swapped');
    expect(((await ok('status')) as { changed: string[] }).changed.join()).toContain('api.tgz does not match');
    expect((await flow('start', { node: 'Deploy_To_Staging' })).envelope.error?.reason).toContain(
      'api.tgz does not match its checksum',
    );
  });
});
