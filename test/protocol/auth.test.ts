import { createHmac } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { holdpoint, newPlace, overHttp, serverArgs, startHttp, type Place, type RunningHttp } from '../harness.ts';
import { AUDIENCE, startIssuer, type Issuer } from './issuer.ts';

const READER = 'reader-token-of-the-tests';
const WRITER = 'writer-token-of-the-tests';
const DECIDER = 'decider-token-of-the-tests';

let place: Place;
let http: RunningHttp;
let issuer: Issuer;

beforeAll(async () => {
  place = newPlace();
  issuer = await startIssuer();
  const config = join(place.env['HOME'] ?? '', 'holdpoint.yaml');
  const tokens = [
    { name: 'reader', token: READER, scopes: ['tools:read'] },
    { name: 'writer', token: WRITER },
    { name: 'decider', token: DECIDER, scopes: ['approvals:decide'] },
  ];
  const { issuer: name, jwksUri } = issuer;
  // YAML reads JSON.
  writeFileSync(config, JSON.stringify({ httpAuth: { tokens }, auth: { issuer: name, audience: AUDIENCE, jwksUri } }));
  http = await startHttp(place, serverArgs(place, ['--http', '127.0.0.1:0', '--config', config]));
});
afterAll(async () => {
  await http.stop();
  issuer.close();
  place.remove();
});

const body = (method: string, params: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
const save = (path: string) => body('tools/call', { name: 'save-file', arguments: { path, content: 'x' } });

async function post(token: string | undefined, message = body('tools/list', {})) {
  const response = await fetch(http.url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: message,
  });
  const text = await response.text();
  return { status: response.status, challenge: response.headers.get('www-authenticate'), text };
}

const seconds = () => Math.floor(Date.now() / 1000);
const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('tokens of an authorization server (A3)', () => {
  test('one that is good is taken; its neighbours are not, and the server goes on', async () => {
    expect((await post(await issuer.token())).status).toBe(200);
    const wrong: [string, string][] = [
      ['another audience', await issuer.token({ aud: 'https://other.example/mcp' })],
      ['no audience', await issuer.token({ aud: undefined })],
      ['another issuer', await issuer.token({ iss: 'https://evil.example' })],
      ['no issuer', await issuer.token({ iss: undefined })],
      ['expired', await issuer.token({ exp: seconds() - 60 })],
      ['no end', await issuer.token({ exp: undefined })],
      ['not yet', await issuer.token({ nbf: seconds() + 120 })],
      ['no subject', await issuer.token({ sub: undefined })],
      ['a subject with a line break', await issuer.token({ sub: 'ann\nroot' })],
      ['no client', await issuer.token({ client_id: undefined })],
      ['a logout token', await issuer.token({}, { typ: 'logout+jwt' })],
      ['a key that is not published', await issuer.token({}, { kid: 'other' })],
      ['a changed payload', (await issuer.token()).replace(/\.[^.]+\./, `.${base64({ sub: 'root' })}.`)],
    ];
    for (const [what, token] of wrong) {
      const { status, challenge } = await post(token);
      expect(status, what).toBe(401);
      expect(challenge, what).toContain('error="invalid_token"');
      expect(challenge, what).toContain(
        'resource_metadata="https://holdpoint.example/.well-known/oauth-protected-resource/mcp"',
      );
    }
    expect((await post(await issuer.token({ aud: ['https://other.example', AUDIENCE] }))).status).toBe(200);
    expect((await post(await issuer.token({ exp: seconds() - 10 }))).status).toBe(200);
    expect((await post(await issuer.token({ nbf: seconds() + 10 }))).status).toBe(200);
  });

  test('unsigned tokens and ones signed with the public key as a secret are not taken', async () => {
    const claims = { iss: issuer.issuer, aud: AUDIENCE, sub: 'ann', client_id: 'claude', exp: seconds() + 60 };
    const payload = base64({ ...claims, scope: 'tools:read tools:write' });
    const none = `${base64({ alg: 'none', typ: 'at+jwt' })}.${payload}.`;
    const head = `${base64({ alg: 'HS256', typ: 'at+jwt', kid: issuer.publicKey().kid })}.${payload}`;
    const hmac = createHmac('sha256', JSON.stringify(issuer.publicKey())).update(head).digest('base64url');
    for (const token of [none, `${none}x`, `${head}.${hmac}`]) expect((await post(token)).status).toBe(401);
    expect((await post(await issuer.token())).status).toBe(200);
  });

  test('the keys are asked for once, not for every token', async () => {
    await post(await issuer.token());
    const before = issuer.asked();
    for (let each = 0; each < 20; each++) await post(await issuer.token({}, { kid: `made-up-${each}` }));
    expect(issuer.asked()).toBe(before);
  });

  test('without a token the challenge says where to get one; the metadata says from whom', async () => {
    const { status, challenge } = await post(undefined);
    expect(status).toBe(401);
    expect(challenge).toMatch(/^Bearer realm="holdpoint", scope="tools:read tools:write", resource_metadata="/);
    for (const path of ['', '/mcp']) {
      const response = await fetch(new URL(`/.well-known/oauth-protected-resource${path}`, http.url));
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        resource: AUDIENCE,
        resource_name: 'Holdpoint',
        authorization_servers: [issuer.issuer],
        scopes_supported: ['tools:read', 'tools:write'],
        bearer_methods_supported: ['header'],
      });
    }
    expect((await fetch(new URL('/.well-known/oauth-protected-resource/other', http.url))).status).toBe(404);
  });

  test('a token in the address is not one', async () => {
    const url = new URL(http.url);
    url.searchParams.set('access_token', WRITER);
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
    const response = await fetch(url, { method: 'POST', headers, body: body('tools/list', {}) });
    expect(response.status).toBe(401);
  });

  test('a request belongs to subject and client: a renewed token goes on with it, other subjects and clients do not', async () => {
    const held = { paths: ['docker/old-compose.yml'] };
    const first = await overHttp('2.x', http.url, await issuer.token({ jti: '1' }));
    const { envelope } = await first.call('remove-files', held);
    await first.close();
    const id = envelope.approval?.id;
    expect(envelope.status).toBe('approval_required');
    const renewed = await overHttp('2.x', http.url, await issuer.token({ jti: '2', exp: seconds() + 900 }));
    expect((await renewed.call('approval', { action: 'status', id })).envelope.approval?.id).toBe(id);
    expect((await renewed.call('remove-files', held)).envelope.approval?.id).toBe(id);
    await renewed.close();
    const others = [
      await issuer.token({ sub: 'bob' }),
      await issuer.token({ client_id: 'other' }),
      await issuer.token({ client_id: undefined, azp: 'other' }),
      WRITER,
    ];
    for (const token of others) {
      const other = await overHttp('2.x', http.url, token);
      expect((await other.call('approval', { action: 'status', id })).envelope.error?.code).toBe('not_found');
      await other.close();
    }
    const { stdout } = await holdpoint(place, 'audit', 'tail', '--json');
    expect(stdout).toContain(encodeURIComponent(`ann@${new URL(issuer.issuer).host}`));
  });
});

describe('scopes (A3)', () => {
  test('tools:read reads; a write is denied with the reason, and nothing is written', async () => {
    const agent = await overHttp('2.x', http.url, READER);
    expect((await agent.call('view', { path: 'docker/Dockerfile' })).envelope.status).toBe('done');
    for (const [tool, input] of [
      ['save-file', { path: 'docker/new.txt', content: 'x' }],
      ['save-file', { path: 'docker/new.txt', content: 'x', dryRun: true }],
      ['use-tool', { name: 'save-file', arguments: { path: 'docker/new.txt', content: 'x' } }],
      ['remove-files', { paths: ['docker/old-compose.yml'] }],
      ['approval', { action: 'run', id: 'apr_0' }],
      ['approval', { action: 'cancel', id: 'apr_0' }],
    ] as const) {
      const { envelope } = await agent.call(tool, input);
      expect(envelope, tool).toMatchObject({
        status: 'denied',
        error: { rule: 'insufficient_scope', reason: expect.stringContaining('tools:write') },
      });
    }
    expect(existsSync(join(place.workspace, 'docker/new.txt'))).toBe(false);
    expect(existsSync(join(place.workspace, 'docker/old-compose.yml'))).toBe(true);
    const names = (await agent.list()).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['view', 'find-tools', 'use-tool']));
    expect(names).not.toEqual(expect.arrayContaining(['save-file']));
    await agent.close();
    const writer = await overHttp('2.x', http.url, WRITER);
    expect((await writer.call('save-file', { path: 'docker/new.txt', content: 'x' })).envelope.status).toBe('done');
    expect((await writer.list()).map(({ name }) => name)).toContain('save-file');
    await writer.close();
  });

  test('a token of the authorization server is told with 403 which scope to ask for; the denial is recorded', async () => {
    const token = await issuer.token({ scope: 'tools:read' });
    const refused = await post(token, save('docker/by-reader.txt'));
    expect(refused.status).toBe(403);
    expect(refused.challenge).toContain('error="insufficient_scope", scope="tools:write", resource_metadata="https:');
    expect(JSON.parse(refused.text)).toMatchObject({ id: 1, error: { data: { status: 'denied' } } });
    expect(existsSync(join(place.workspace, 'docker/by-reader.txt'))).toBe(false);
    const { stdout } = await holdpoint(place, 'audit', 'tail', '--json');
    expect(stdout).toContain('insufficient_scope');
    expect(
      (await post(token, body('tools/call', { name: 'view', arguments: { path: 'docker/Dockerfile' } }))).status,
    ).toBe(200);
    const writer = await issuer.token({ scope: undefined, scp: ['tools:write'] });
    expect((await post(writer, save('docker/by-writer.txt'))).status).toBe(200);
    expect(existsSync(join(place.workspace, 'docker/by-writer.txt'))).toBe(true);
  });

  test('a token without a scope for tools gets nothing, one for approvals alone included', async () => {
    const tokens = [
      await issuer.token({ scope: undefined }),
      await issuer.token({ scope: '' }),
      await issuer.token({ scope: 'openid tools:writes TOOLS:READ' }),
      await issuer.token({ scope: 'approvals:decide' }),
      DECIDER,
    ];
    for (const token of tokens) {
      const { status, challenge } = await post(token);
      expect(status).toBe(403);
      expect(challenge).toContain('error="insufficient_scope", scope="tools:read"');
    }
  });
});
