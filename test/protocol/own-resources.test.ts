import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { CLIENTS, holdpoint, newPlace, serverArgs, startHttp, type Place, type RunningHttp } from '../harness.ts';
import { plainHttp, plainStdio, readJson, refusal, type PlainClient } from './plain-clients.ts';

interface Ledger {
  calls: {
    call: string;
    tool: string;
    targets?: string[];
    verdict?: string;
    status?: string;
    approval?: string;
    rules?: string[];
  }[];
  earlier?: string;
}
interface Approvals {
  approvals: { id: string; state: string; summary: string; missing?: string[]; expiresAt: string; approvals: string }[];
}

const NAMES = ['holdpoint://policy', 'holdpoint://persona', 'holdpoint://ledger', 'holdpoint://approvals'];
const OLD = 'docker/old-compose.yml';

describe.each(
  CLIENTS.flatMap((kind) => [
    { kind, over: 'stdio' },
    { kind, over: 'http' },
  ]),
)('what Holdpoint says of itself: $kind client over $over (B7)', ({ kind, over }) => {
  let place: Place;
  let http: RunningHttp | undefined;
  let client: PlainClient;
  beforeAll(async () => {
    place = newPlace();
    if (over === 'http') http = await startHttp(place);
    client = http
      ? await plainHttp(kind, http.url, http.token)
      : await plainStdio(kind, place, serverArgs(place, ['--stdio']));
  });
  afterAll(async () => {
    await client.close();
    await http?.stop();
    place.remove();
  });

  test('four resources are listed, each as JSON', async () => {
    const { resources } = await client.listResources();
    const own = resources.filter(({ uri }) => NAMES.includes(uri));
    expect(own.map(({ uri }) => uri)).toEqual(NAMES);
    expect(own.every(({ mimeType }) => mimeType === 'application/json')).toBe(true);
  });

  test('the policy in force: digest, environments, every rule in a line with its reason', async () => {
    const policy = await readJson<{ name: string; digest: string; environments: object; rules: string[] }>(
      client,
      'holdpoint://policy',
    );
    expect(policy.name).toBe('devops');
    expect(policy.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(policy.environments).toMatchObject({ staging: { branch: ['staging'] } });
    expect(policy.rules.length).toBeGreaterThan(20);
    expect(policy.rules.every((rule) => /^[a-z-]+: (?:allow|deny|require_approval) when .+\. ?/.test(rule))).toBe(true);
    expect(policy.rules.find((rule) => rule.startsWith('production:'))).toContain(
      'Needs 1 approval within 1h, to be run within 30m, checklist production-deployment. Hand to architect.',
    );
  });

  test('who the agent is: tools, skills, roles', async () => {
    const persona = await readJson<Record<string, unknown>>(client, 'holdpoint://persona');
    expect(persona).toMatchObject({ name: 'devops', policy: 'devops', tokenBudget: 1800, leavesHandOffRecords: true });
    expect(persona['tools']).toEqual((await client.listTools()).tools.map(({ name }) => name));
    expect(persona['handsWorkTo']).toEqual(expect.arrayContaining(['backend-dev', 'qa-engineer', 'architect']));
    expect(persona['skills']).toContain('incident');
  });

  test('what it did, newest first, page by page', async () => {
    const call = (name: string, args: Record<string, unknown>) => client.callTool({ name, arguments: args });
    await call('view', { path: 'docker/Dockerfile' });
    await call('view', { path: '.env' });
    await call('remove-files', { paths: [OLD] });
    const { calls } = await readJson<Ledger>(client, 'holdpoint://ledger');
    expect(calls.map(({ tool, status }) => [tool, status])).toEqual([
      ['remove-files', 'approval_required'],
      ['view', 'denied'],
      ['view', 'done'],
    ]);
    expect(calls[0]).toMatchObject({ targets: [OLD], verdict: 'require_approval', rules: ['destruction'] });
    expect(calls[0]?.approval).toMatch(/^apr_/);
    const seen: string[] = [];
    let next: string | undefined = 'holdpoint://ledger?limit=2';
    for (let page = 0; next && page < 5; page++) {
      const read: Ledger = await readJson<Ledger>(client, next);
      seen.push(...read.calls.map((each) => each.call));
      next = read.earlier;
    }
    expect(next).toBeUndefined();
    expect(seen).toEqual(calls.map((each) => each.call));
  });

  test.for(['?limit=0', '?limit=201', '?limit=x', '?cursor=nonsense', '?who=ann', '/other'])(
    'holdpoint://ledger%s is no address',
    async (query) => {
      expect((await refusal(client.readResource({ uri: `holdpoint://ledger${query}` }))).message).toMatch(/not found/i);
    },
  );

  test('its held calls: what is missing, until when, and no way to approve', async () => {
    const { approvals } = await readJson<Approvals>(client, 'holdpoint://approvals');
    expect(approvals).toHaveLength(1);
    const [{ id } = { id: '' }] = approvals;
    expect(approvals[0]).toMatchObject({ state: 'pending', approvals: '0 of 1', missing: [expect.any(String)] });
    const one = await readJson<Record<string, unknown>>(client, `holdpoint://approvals/${id}`);
    expect(one).toMatchObject({
      id,
      tool: 'remove-files',
      rules: ['destruction'],
      targets: [OLD],
      reason: expect.stringContaining('person') as unknown,
    });
    await holdpoint(place, 'approver', 'add', 'ann');
    await holdpoint(place, 'approvals', 'deny', id, '--as', 'ann', '--reason', 'still in use');
    expect(await readJson(client, `holdpoint://approvals/${id}`)).toMatchObject({
      state: 'denied',
      decisions: [{ approver: 'ann', decision: 'deny', reason: 'still in use' }],
    });
  });
});

test('nobody sees what another client did or asked for (B7)', async () => {
  const place = newPlace();
  const [ann, bob] = await Promise.all([
    plainStdio('2.x', place, serverArgs(place, ['--stdio']), 'ann-editor'),
    plainStdio('2.x', place, serverArgs(place, ['--stdio']), 'bob-editor'),
  ]);
  try {
    await ann.callTool({ name: 'remove-files', arguments: { paths: [OLD] } });
    await bob.callTool({ name: 'view', arguments: { path: 'docker/Dockerfile' } });
    const [asked] = (await readJson<Approvals>(ann, 'holdpoint://approvals')).approvals;
    expect((await readJson<Ledger>(ann, 'holdpoint://ledger')).calls.map(({ tool }) => tool)).toEqual(['remove-files']);
    expect((await readJson<Ledger>(bob, 'holdpoint://ledger')).calls.map(({ tool }) => tool)).toEqual(['view']);
    expect((await readJson<Approvals>(bob, 'holdpoint://approvals')).approvals).toEqual([]);
    const uri = `holdpoint://approvals/${asked?.id}`;
    expect((await refusal(bob.readResource({ uri }))).message).toMatch(/not found/i);
    const { completion } = await bob.complete({
      ref: { type: 'ref/resource', uri: 'holdpoint://approvals/{id}' },
      argument: { name: 'id', value: 'apr_' },
    });
    expect(completion.values).toEqual([]);
  } finally {
    await Promise.all([ann.close(), bob.close()]);
    place.remove();
  }
});

test('secrets that were in a call are in none of them (B7)', async () => {
  const place = newPlace();
  const secret = `ghp_${randomBytes(18).toString('hex')}`;
  const client = await plainStdio('2.x modern', place, serverArgs(place, ['--stdio']), `editor ${secret}`);
  try {
    await client.callTool({ name: 'codebase-retrieval', arguments: { query: secret } });
    await client.callTool({ name: 'remove-files', arguments: { paths: [OLD] } });
    expect((await readJson<Ledger>(client, 'holdpoint://ledger')).calls).toHaveLength(2);
    for (const uri of NAMES) expect(JSON.stringify(await readJson(client, uri))).not.toContain(secret);
  } finally {
    await client.close();
    place.remove();
  }
});

test('a memory whose name is a secret is not listed (B7)', async () => {
  const place = newPlace();
  const secret = 'dapi0a1b2c3d4e5f60718293a4b5c6d7e8f9';
  mkdirSync(join(place.workspace, 'docs/memory'), { recursive: true });
  for (const name of [secret, 'registry'])
    writeFileSync(join(place.workspace, `docs/memory/${name}.md`), '---\ntype: decision\n---\nWords.\n');
  const client = await plainStdio('2.x modern', place, serverArgs(place, ['--stdio']));
  try {
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain('holdpoint://memory/registry');
    expect(JSON.stringify(resources)).not.toContain(secret);
  } finally {
    await client.close();
    place.remove();
  }
});
