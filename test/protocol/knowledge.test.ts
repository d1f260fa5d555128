import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  approveTicking,
  CLIENTS,
  holdpoint,
  newPlace,
  overHttp,
  overStdio,
  serverArgs,
  startHttp,
  type Agent,
  type ClientKind,
  type Place,
} from '../harness.ts';

const BACKEND = `
version: 1
name: backend-dev
rules:
  - id: code
    decision: allow
    when: { kind: file, path: ['src/**/*.py', 'docs/memory/**/*.md'] }
    reason: Application code and memories.
    examples: [{ tool: save-file, input: { path: src/a.py, content: x }, expect: allow }]
  - id: folders
    decision: allow
    when: { kind: folder, effect: read }
    reason: Names.
    examples: [{ tool: view, input: { path: src }, expect: allow }]
  - id: private
    decision: deny
    when: { kind: file, path: 'docs/memory/private/**' }
    reason: Not for this role.
    handOff: devops
    examples: [{ tool: view, input: { path: docs/memory/private/a.md }, expect: deny }]
  - id: scaling
    decision: deny
    when: { kind: file, path: 'kubernetes/**' }
    reason: Scaling is a question of architecture.
    consult: architect
    examples: [{ tool: view, input: { path: kubernetes/hpa.yaml }, expect: deny }]
`;

let place: Place;
let persona: string;
const agents: Agent[] = [];

/** A persona's folder named for its role, as a team would have it beside the shipped ones. */
function personaFolder(name: string, policy: string, more = ''): string {
  const folder = join(place.workspace, '..', 'personas', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'persona.yaml'),
    `name: ${name}\ntitle: ${name}\ndescription: A role of the tests.\npolicy: policy.yaml\ntools: [view, hand-offs, read-memory]\n${more}`,
  );
  writeFileSync(join(folder, 'policy.yaml'), policy);
  writeFileSync(join(folder, 'instructions.md'), `You are ${name}.`);
  return folder;
}

beforeEach(() => {
  place = newPlace();
  persona = personaFolder('backend-dev', BACKEND);
});
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.close()));
  place.remove();
});

async function connect(kind: ClientKind, ...more: string[]): Promise<Agent> {
  const agent = await overStdio(kind, place, serverArgs(place, ['--stdio', ...more]));
  agents.push(agent);
  return agent;
}

const idIn = (text: string | undefined) => /hnd_\S{12}/.exec(text ?? '')?.[0] ?? '';

describe.each(CLIENTS)('two servers, two personas, one state; the %s client', (kind) => {
  test('a refusal of one is the work of the other: listed, read as a resource, taken, closed (B4)', async () => {
    const [devops, backend] = await Promise.all([connect(kind), connect(kind, '--persona', persona)]);
    const refused = await devops.call('save-file', { path: 'src/orchestration/graph.py', content: 'planted = 1' });
    expect(refused.envelope).toMatchObject({ status: 'denied', error: { handOff: 'backend-dev' } });
    const id = idIn(refused.envelope.next);
    expect(refused.text).toContain(id);

    expect((await backend.list()).map(({ name }) => name)).toContain('hand-offs');
    const mine = await backend.call('hand-offs', { action: 'list' });
    expect(mine.envelope.result?.['handOffs']).toMatchObject([{ id, state: 'open', from: { agent: 'devops' } }]);
    const resource = await backend.read(`holdpoint://hand-offs/${id}`);
    expect(JSON.parse(resource)).toMatchObject({
      what: { tool: 'save-file', targets: ['write file src/orchestration/graph.py'] },
      context: { path: 'src/orchestration/graph.py', content: '(11 characters)' },
    });
    expect(resource).not.toContain('planted');
    expect(JSON.parse(await backend.read('holdpoint://hand-offs'))).toMatchObject({
      role: 'backend-dev',
      handOffs: [{ id }],
    });
    expect(JSON.parse(await devops.read('holdpoint://hand-offs'))).toEqual({ role: 'devops', handOffs: [] });
    await expect(backend.read('holdpoint://hand-offs/hnd_none')).rejects.toThrow();

    expect((await devops.call('hand-offs', { action: 'take', id })).envelope.status).toBe('denied');
    expect((await backend.call('hand-offs', { action: 'take', id })).envelope.status).toBe('done');
    expect((await backend.call('hand-offs', { action: 'close', id, note: 'graph.py has it.' })).envelope.status).toBe(
      'done',
    );
    const after = await devops.call('use-tool', { name: 'hand-offs', arguments: { action: 'read', id } });
    expect(after.envelope.result?.['handOff']).toMatchObject({ state: 'done', note: 'graph.py has it.' });

    const consult = await backend.call('use-tool', {
      name: 'save-file',
      arguments: { path: 'kubernetes/hpa.yaml', content: 'x' },
    });
    expect(consult.text).toContain('Consult: architect.');
    expect(consult.envelope.error).toMatchObject({ handOff: 'architect', consult: true });
  });

  test('a memory of one is found, read and linked by the other, also after a restart (H1)', async () => {
    const [devops, backend] = await Promise.all([connect(kind), connect(kind, '--persona', persona)]);
    const written = await devops.call('write_memory_Serena', {
      memory_name: 'decisions/registry',
      content: '---\ntype: decision\nlinks: [plans/rollout]\n---\n# Registry\n\nImages are kept in ghcr.io.',
    });
    expect(written.envelope.result).toMatchObject({ did: 'created', missing: ['plans/rollout'] });
    const found = await backend.call('read-memory', { query: 'where are images kept' });
    expect(found.envelope.result?.['memories']).toMatchObject([
      { name: 'decisions/registry', type: 'decision', agent: 'devops' },
    ]);
    expect(await backend.read('holdpoint://memory/decisions/registry')).toContain('Images are kept in ghcr.io.');
    await backend.call('use-tool', {
      name: 'edit_memory',
      arguments: { memory_name: 'decisions/registry', needle: 'ghcr.io', repl: 'a registry', mode: 'literal' },
    });
    await devops.close();
    const again = await connect(kind);
    const one = await again.call('use-tool', { name: 'read_memory', arguments: { memory_name: 'decisions/registry' } });
    expect(one.envelope.result?.['memory']).toMatchObject({
      agent: 'backend-dev',
      text: expect.stringContaining('a registry'),
    });
    const edits = await again.call('use-tool', { name: 'read-memory', arguments: { type: 'edit' } });
    expect(edits.envelope.result?.['edits']).toMatchObject([
      { did: 'changed', agent: 'backend-dev', tool: 'write-memory' },
      { did: 'created', agent: 'devops', tool: 'write-memory' },
    ]);
  });

  test('what the policy keeps from a role no resource gives it (H1)', async () => {
    const [devops, backend] = await Promise.all([connect(kind), connect(kind, '--persona', persona)]);
    await devops.call('write_memory', { memory_name: 'private/plan', content: 'A zeppelin.' });
    expect(await devops.read('holdpoint://memory/private/plan')).toContain('zeppelin');
    for (const name of ['private/plan', 'none', '../../.env', 'private%2Fplan', 'PRIVATE/plan'])
      await expect(backend.read(`holdpoint://memory/${name}`)).rejects.toThrow();
    const search = await backend.call('read-memory', { query: 'zeppelin' });
    expect(search.envelope.result?.['memories']).toEqual([]);
    expect((await backend.call('read-memory', { name: 'private/plan' })).envelope.error?.rule).toBe('private');
  });
});

test('two servers write one memory at once: nothing of either is lost, what came too late is stale (H1)', async () => {
  const [one, two] = await Promise.all([connect('2.x'), connect('1.x')]);
  await one.call('write_memory', { memory_name: 'log', content: 'begin\nend' });
  const write = async (agent: Agent, who: string) => {
    const done: string[] = [];
    for (let n = 0; n < 12; n++) {
      const line = `${who} ${n}`;
      const { envelope } = await agent.call('use-tool', {
        name: 'write-memory',
        arguments: { name: 'log', oldText: '\nend', newText: `\n${line}\nend` },
      });
      expect(['done', 'stale']).toContain(envelope.status);
      if (envelope.status === 'done') done.push(line);
    }
    return done;
  };
  const [first, second] = await Promise.all([write(one, 'one'), write(two, 'two')]);
  const text = readFileSync(join(place.workspace, 'docs/memory/log.md'), 'utf8');
  const lines = text.split('\n').filter((line) => /^(?:one|two) \d+$/.test(line));
  expect(lines.toSorted()).toEqual([...first, ...second].toSorted());
  expect(first.length + second.length).toBeGreaterThan(0);
});

test('deleting a memory waits for a person, over HTTP as well (H1, C2)', async () => {
  expect((await holdpoint(place, 'approver', 'add', 'alice')).code).toBe(0);
  const http = await startHttp(place, serverArgs(place, ['--http', '127.0.0.1:0']));
  try {
    const agent = await overHttp('2.x modern', http.url, http.token);
    agents.push(agent);
    await agent.call('write_memory', { memory_name: 'old', content: 'Gone soon.' });
    const held = await agent.call('delete_memory', { memory_name: 'old' });
    expect(held.envelope).toMatchObject({ status: 'approval_required' });
    const id = held.envelope.approval?.id ?? '';
    expect((await approveTicking(place, id, '--as', 'alice')).code).toBe(0);
    expect((await agent.call('approval', { action: 'run', id })).envelope.result).toMatchObject({ name: 'old' });
    await expect(agent.read('holdpoint://memory/old')).rejects.toThrow();
  } finally {
    await agents.pop()?.close();
    await http.stop();
  }
});
