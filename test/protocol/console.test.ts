import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openApprovers } from '../../src/approvals/approvers.ts';
import type { PasskeyAssertion } from '../../src/approvals/passkey.ts';
import type { UnsignedDecision } from '../../src/approvals/request.ts';
import { holdpoint, newPlace, overHttp, startHttp, type Agent, type Place, type RunningHttp } from '../harness.ts';
import { softPasskey, type Circumstances } from '../unit/approvals/passkeys.ts';

const PUBLIC = 'https://holdpoint.example';
const HOST = 'holdpoint.example';

let place: Place;
let http: RunningHttp;
let agent: Agent;
const alicesKey = softPasskey();
const bobsKey = softPasskey();

beforeAll(async () => {
  place = newPlace();
  const config = join(place.state, '..', 'holdpoint.yaml');
  writeFileSync(config, `httpAuth: { allowedHosts: [${HOST}] }\nconsole: { url: '${PUBLIC}' }\n`);
  place.env['HOLDPOINT_CONFIG'] = config;
  for (const [name, { key }] of [['alice', alicesKey] as const, ['bob', bobsKey] as const]) {
    expect((await holdpoint(place, 'approver', 'add', name)).code).toBe(0);
    openApprovers(place.keys).addKey(name, key);
  }
  http = await startHttp(place);
  agent = await overHttp('2.x', http.url, http.token);
});
afterAll(async () => {
  await agent.close();
  await http.stop();
  place.remove();
});

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: Record<string, unknown>;
}

interface Sent {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** As a proxy hands a browser's request over: the public name as Host, and the page's origin with each change. */
function send(path: string, { method, body, headers = {} }: Sent = {}): Promise<Answer> {
  const { hostname, port } = new URL(http.url);
  const change = body === undefined ? {} : { 'Content-Type': 'application/json', Origin: PUBLIC };
  return new Promise((done, fail) => {
    const sent = request(
      {
        host: hostname,
        port,
        path,
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: { Host: HOST, ...change, ...headers },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => {
          const isJson = response.headers['content-type'] === 'application/json';
          const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
          done({ status: response.statusCode ?? 0, headers: response.headers, text, json });
        });
      },
    );
    sent.on('error', fail);
    sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body));
  });
}

const token = async (name: string, ...more: string[]) =>
  (await holdpoint(place, 'console', 'link', '--as', name, ...more)).stdout.trim().split('#link=')[1] ?? '';

type Signed = Record<'Cookie' | 'X-Holdpoint-Console', string>;

function signedIn({ status, headers, json }: Answer): Signed {
  expect(status).toBe(200);
  const [cookie = ''] = headers['set-cookie'] ?? [];
  return { Cookie: cookie.split(';')[0] ?? '', 'X-Holdpoint-Console': String(json['pageKey']) };
}

const byLink = async (name: string) =>
  signedIn(await send('/console/api/sign-in/link', { body: { token: await token(name) } }));

const assertion = (decision: Omit<UnsignedDecision, 'key'>, circumstances?: Circumstances, key = alicesKey) =>
  JSON.parse(
    Buffer.from(key.sign(decision, circumstances).signature, 'base64url').toString('utf8'),
  ) as PasskeyAssertion;

const NOTHING = { id: '', digest: '', decision: 'approve', approver: '', at: 0, reason: '', ticked: [] } as const;

async function byPasskey(circumstances: Circumstances = {}, key = alicesKey): Promise<Answer> {
  const begun = (await send('/console/api/sign-in/begin', { body: {} })).json;
  const made = assertion({ ...NOTHING, ticked: [] }, { challenge: String(begun['challenge']), ...circumstances }, key);
  return send('/console/api/sign-in/passkey', { body: { nonce: begun['nonce'], assertion: made } });
}

const files = ['docker/old-compose.yml', 'docker/Dockerfile', 'docker-compose.yml'];
const held = async (path = files[0] ?? '') =>
  (await agent.call('remove-files', { paths: [path] })).envelope.approval ?? { id: 'none', digest: '' };

describe('the console over HTTP (I5)', () => {
  test('the page and its files come with a strict policy, in no frame, and with nothing inline', async () => {
    for (const path of ['/console', '/console/audit', '/console/main.js', '/console/style.css', '/console/icon.svg']) {
      const { status, headers, text } = await send(path);
      expect({ path, status }).toEqual({ path, status: 200 });
      expect(headers['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
      );
      expect(headers).toMatchObject({
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store, no-transform',
      });
      // A sentence for people, and no address that anything is fetched from.
      const said = text.replaceAll('Open the console over https, or at http://localhost.', '');
      expect(said).not.toMatch(/<style|style=|<script(?![^>]*src=)|javascript:|\son\w+=|https?:\/\/(?!www\.w3\.org)/);
    }
    for (const path of ['/console/', '/console/nothing.js', '/console/../keys', '/consolex', '/console/%2e%2e/x'])
      expect({ path, status: (await send(path)).status }).toEqual({ path, status: path === '/console/' ? 200 : 404 });
    expect((await send('/console', { method: 'HEAD' })).text).toBe('');
    expect((await send('/console', { method: 'POST', body: {} })).status).toBe(405);
    expect((await send('/console/api/requests', { method: 'DELETE' })).status).toBe(405);
  });

  test('opened by its number on this machine it goes to its name, where passkeys work', async () => {
    const { status, headers } = await send('/console/audit', { headers: { Host: '127.0.0.1:7117' } });
    expect([status, headers['location']]).toEqual([307, 'http://localhost:7117/console/audit']);
  });

  test('a foreign Host or Origin is refused on every route', async () => {
    const session = await byLink('alice');
    for (const path of ['/console', '/console/main.js', '/console/api/requests', '/console/api/changes']) {
      expect((await send(path, { headers: { ...session, Host: 'evil.example' } })).status).toBe(403);
      expect((await send(path, { headers: { ...session, Origin: 'https://evil.example' } })).status).toBe(403);
      expect((await send(path, { headers: { ...session, Origin: 'null' } })).status).toBe(403);
    }
    expect((await send('/console/api/requests', { headers: session })).status).toBe(200);
    const cross = { ...session, 'Sec-Fetch-Site': 'same-site' };
    expect((await send('/console/api/requests', { headers: cross })).status).toBe(403);
  });

  test('a link signs in once and in time, with a cookie that scripts and other sites do not get', async () => {
    const once = await token('alice');
    expect(once).toMatch(/^[\w-]{43}$/);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => send('/console/api/sign-in/link', { body: { token: once } })),
    );
    const entered = answers.filter(({ status }) => status === 200);
    expect(entered).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(7);
    expect(entered[0]?.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^__Host-holdpoint-console=[\w-]{43}; Path=\/; Secure; Max-Age=28800; HttpOnly; SameSite=Strict$/,
      ),
    ]);
    expect(entered[0]?.text).not.toContain(once);

    const late = await token('alice', '--for', '1s');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect((await send('/console/api/sign-in/link', { body: { token: late } })).status).toBe(403);
    for (const wrong of ['-'.repeat(43), '../../approvers/alice', ''])
      expect((await send('/console/api/sign-in/link', { body: { token: wrong } })).status).not.toBe(200);
    expect((await holdpoint(place, 'console', 'link', '--as', 'nobody')).code).toBe(1);
    expect((await holdpoint(place, 'console', 'link', '--as', 'alice', '--for', '2d')).code).toBe(2);
  });

  test('neither half of a session opens anything, nor does a token of MCP; and a session opens no MCP', async () => {
    const session = await byLink('alice');
    const other = await byLink('bob');
    const bearer = { Authorization: `Bearer ${http.token}` };
    const opens = async (headers: Record<string, string>) => (await send('/console/api/requests', { headers })).status;
    expect(await opens(session)).toBe(200);
    for (const headers of [
      {},
      bearer,
      { Cookie: session.Cookie },
      { 'X-Holdpoint-Console': session['X-Holdpoint-Console'] },
      { Cookie: session.Cookie, 'X-Holdpoint-Console': other['X-Holdpoint-Console'] },
      { ...bearer, Cookie: session.Cookie, 'X-Holdpoint-Console': http.token },
    ])
      expect(await opens(headers)).toBe(401);
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
    expect((await send('/mcp', { body: list, headers: session })).status).toBe(401);
    const secret = session.Cookie.split('=')[1] ?? '';
    expect((await send('/mcp', { body: list, headers: { Authorization: `Bearer ${secret}` } })).status).toBe(401);
  });

  test('changes come as small strict JSON from the page’s own origin, and from nowhere else', async () => {
    const session = await byLink('alice');
    const { id } = await held(files[1]);
    const change = (sent: Sent) =>
      send(`/console/api/requests/${id}/revoke`, {
        body: { reason: 'x' },
        ...sent,
        headers: { ...session, ...sent.headers },
      });
    // As it should be it reaches the request, which is pending and so cannot be revoked.
    expect((await change({})).status).toBe(409);
    expect((await change({ headers: { Origin: 'https://localhost' } })).json['message']).toContain('not sent by');
    expect((await change({ headers: { Origin: `${PUBLIC}:8443` } })).status).toBe(403);
    expect((await change({ headers: { Origin: `http://${HOST}` } })).status).toBe(403);
    expect((await change({ headers: { 'Content-Type': 'text/plain' } })).status).toBe(400);
    expect((await change({ body: '{"reason":' })).status).toBe(400);
    expect((await change({ body: { reason: 'x', more: 1 } })).status).toBe(400);
    expect((await change({ body: { reason: 'x'.repeat(2001) } })).status).toBe(400);
    expect((await change({ body: { reason: 'x'.repeat(70_000) } })).status).toBe(400);
    expect((await change({ headers: { Cookie: '' } })).status).toBe(401);
  });

  test('a session ends with signing out, and with its approver', async () => {
    const session = await byLink('alice');
    const out = await send('/console/api/sign-out', { body: {}, headers: session });
    expect([out.status, String(out.headers['set-cookie'])]).toEqual([200, expect.stringContaining('Max-Age=0')]);
    expect((await send('/console/api/me', { headers: session })).status).toBe(401);

    expect((await holdpoint(place, 'approver', 'add', 'carol')).code).toBe(0);
    const carol = await byLink('carol');
    expect((await send('/console/api/me', { headers: carol })).json).toMatchObject({ approver: 'carol', passkeys: [] });
    expect((await holdpoint(place, 'approver', 'remove', 'carol')).code).toBe(0);
    expect((await send('/console/api/me', { headers: carol })).status).toBe(401);
    // Another one of that name is not who was signed in.
    expect((await holdpoint(place, 'approver', 'add', 'carol')).code).toBe(0);
    expect((await send('/console/api/me', { headers: carol })).status).toBe(401);
  });

  test('what is asked of the audit log is bounded, filtered and paged', async () => {
    const session = await byLink('alice');
    const get = (query: string) => send(`/console/api/audit?${query}`, { headers: session });
    const { id } = await held(files[0]);
    const kinds = async (query: string) =>
      ((await get(query)).json['records'] as { kind: string; data: Record<string, unknown> }[]).map(({ kind }) => kind);
    expect(await kinds(`approval=${id}`)).toEqual(expect.arrayContaining(['approval.requested']));
    expect(new Set(await kinds('verdict=require_approval'))).toEqual(new Set(['opened']));
    expect(await kinds('tool=no-such-tool')).toEqual([]);
    expect(await kinds('to=2000-01-01T00:00:00.000Z')).toEqual([]);
    for (const query of ['verdict=maybe', 'approval=x', 'before=x', 'from=yesterday', 'limit=9'])
      expect((await get(query)).status).toBe(400);
  });
});

describe('passkeys at the console (I6)', () => {
  test('sign in: with a registered key, a challenge of the server’s own, once, at this origin, with the person verified', async () => {
    expect((await byPasskey()).json).toMatchObject({ approver: 'alice' });
    for (const circumstances of [
      { origin: 'https://evil.example' },
      { challenge: 'AAAA' },
      { type: 'webauthn.create' },
      { rpId: 'evil.example' },
      { flags: 0x01 },
      { crossOrigin: true },
      { signed: Buffer.from('else') },
      { credentialId: bobsKey.key.credentialId },
    ])
      expect((await byPasskey(circumstances)).status).toBe(403);
    expect((await byPasskey({}, softPasskey())).status).toBe(403);

    const begun = (await send('/console/api/sign-in/begin', { body: {} })).json;
    const made = assertion({ ...NOTHING, ticked: [] }, { challenge: String(begun['challenge']) });
    const twice = { body: { nonce: begun['nonce'], assertion: made } };
    expect((await send('/console/api/sign-in/passkey', twice)).status).toBe(200);
    expect((await send('/console/api/sign-in/passkey', twice)).status).toBe(403);
  });

  test('decide: the prepared decision with the passkey’s signature over exactly it, by who is signed in', async () => {
    const session = signedIn(await byPasskey());
    const { id, digest } = await held(files[2]);
    const post = (path: string, body: unknown) =>
      send(`/console/api/requests/${id}/${path}`, { body, headers: session });
    const want = { decision: 'approve', reason: ' agreed ', ticked: [], key: alicesKey.key.fingerprint };
    expect((await post('prepare', { ...want, decision: 'deny', reason: ' ' })).status).toBe(400);
    expect((await post('prepare', { ...want, key: bobsKey.key.fingerprint })).status).toBe(403);
    const prepared = (await post('prepare', want)).json;
    const unsigned = prepared['unsigned'] as UnsignedDecision;
    expect(unsigned).toMatchObject({
      id,
      digest,
      decision: 'approve',
      approver: 'alice',
      reason: 'agreed',
      ticked: [],
    });
    const made = assertion(unsigned, { challenge: String(prepared['challenge']) });

    for (const [changed, by] of [
      [{ ...unsigned, reason: 'another' }, made],
      [{ ...unsigned, decision: 'deny' }, made],
      [{ ...unsigned, at: unsigned.at + 1 }, made],
      [{ ...unsigned, approver: 'bob', key: bobsKey.key.fingerprint }, assertion(unsigned, {}, bobsKey)],
      [{ ...unsigned, key: bobsKey.key.fingerprint }, assertion(unsigned, {}, bobsKey)],
      [unsigned, assertion(unsigned, { origin: 'https://evil.example' })],
      [unsigned, { ...made, signature: `${made.signature.slice(0, -4)}AAAA` }],
    ] as const)
      expect((await post('decide', { unsigned: changed, assertion: by })).status).toBe(403);
    expect((await agent.call('approval', { action: 'status', id })).envelope.result).toMatchObject({
      state: 'pending',
    });

    expect((await post('decide', { unsigned, assertion: made })).json).toMatchObject({ id, state: 'approved' });
    expect((await post('decide', { unsigned, assertion: made })).status).toBe(409);
    expect((await agent.call('approval', { action: 'run', id })).envelope.status).toBe('done');
  });

  test('a session ends with the passkey that opened it', async () => {
    const further = softPasskey();
    openApprovers(place.keys).addKey('bob', further.key);
    const session = signedIn(await byPasskey({}, further));
    expect((await send('/console/api/me', { headers: session })).json).toMatchObject({ approver: 'bob' });
    openApprovers(place.keys).removeKey('bob', further.key.fingerprint);
    expect((await send('/console/api/me', { headers: session })).status).toBe(401);
  });

  test('enrol: only in a session that a link opened, with a challenge made for it', async () => {
    const offer = (session: Signed) => send('/console/api/passkey/offer', { body: {}, headers: session });
    expect((await offer(signedIn(await byPasskey()))).status).toBe(403);
    const session = await byLink('alice');
    const options = (await offer(session)).json;
    expect(options).toMatchObject({
      rp: { id: HOST },
      authenticatorSelection: { userVerification: 'required' },
      excludeCredentials: [{ id: alicesKey.key.credentialId }],
    });
    const credential = { id: 'AAAA', attestationObject: 'AAAA', clientDataJSON: 'AAAA', transports: [] };
    const add = (challenge: unknown) =>
      send('/console/api/passkey', { body: { challenge, credential }, headers: session });
    const { nonce } = (await send('/console/api/sign-in/begin', { body: {} })).json;
    expect((await add(nonce)).json['message']).toContain('within ten minutes');
    expect((await add(options['challenge'])).json['message']).toBe('This passkey cannot be added.');
    // The challenge is spent, whatever came of it.
    expect((await add(options['challenge'])).json['message']).toContain('within ten minutes');
  });

  test('who fails too often is turned away for a while, whatever comes then', async () => {
    const wrong = () => send('/console/api/sign-in/link', { body: { token: 'x'.repeat(43) } });
    let status = 0;
    for (let tries = 0; tries < 40 && status !== 429; tries++) ({ status } = await wrong());
    expect(status).toBe(429);
    expect((await byPasskey()).status).toBe(429);
  });
});
