import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { loadConfig } from '../../src/config/config.ts';
import { createAuthentication } from '../../src/transports/http-auth.ts';
import { createJwtCheck, type JwtSettings } from '../../src/transports/jwt.ts';
import { newPlace } from '../harness.ts';
import { AUDIENCE, startIssuer, type Issuer } from './issuer.ts';

let issuer: Issuer;
let settings: JwtSettings;
beforeEach(async () => {
  issuer = await startIssuer();
  settings = {
    issuer: issuer.issuer,
    audience: [AUDIENCE],
    jwksUri: issuer.jwksUri,
    algorithms: ['ES256'],
    clockSkew: 30_000,
    cooldown: 0,
  };
});
afterEach(() => issuer.close());

describe('published keys (A3)', () => {
  test('a new key is found, the old one is no longer taken', async () => {
    const check = createJwtCheck(settings);
    const old = await issuer.token();
    expect(await check(old)).toHaveProperty('auth');
    await issuer.rotate();
    expect(await check(await issuer.token())).toHaveProperty('auth');
    expect(await check(old)).toHaveProperty('invalid');
  });

  test('an algorithm that is not listed is not taken, though the key is the right one', async () => {
    const token = await issuer.token();
    expect(await createJwtCheck({ ...settings, algorithms: ['RS256'] })(token)).toHaveProperty('invalid');
    expect(await createJwtCheck(settings)(token)).toHaveProperty('auth');
  });

  test.each([
    ['an error', 500, ''],
    ['a redirect', 302, ''],
    ['no JSON', 200, '<html>'],
    ['no keys', 200, '{}'],
    ['far too much', 200, JSON.stringify({ keys: [], pad: 'x'.repeat(300_000) })],
  ])('%s instead of keys: unavailable and not asked for again at once', async (_what, status, body) => {
    issuer.answers(status, body);
    const check = createJwtCheck(settings);
    expect(await check(await issuer.token())).toHaveProperty('unavailable');
    const asked = issuer.asked();
    expect(asked).toBe(1);
    issuer.answers(undefined);
    expect(await createJwtCheck(settings)(await issuer.token())).toHaveProperty('auth');
  });

  test('after a failure the address is left alone for a while, whoever asks', async () => {
    issuer.answers(503);
    const check = createJwtCheck(settings);
    for (let each = 0; each < 10; each++) expect(await check(await issuer.token())).toHaveProperty('unavailable');
    expect(issuer.asked()).toBe(1);
  });

  test('while the keys cannot be had, tokens get 503, and tokens of this server go on', async () => {
    issuer.answers(500);
    const tokens = [{ name: 'mine', value: 'mine-token-of-the-tests', scopes: ['tools:read'] as const }];
    const { check } = createAuthentication({ tokens, jwt: settings }, () => 'http://127.0.0.1:1');
    const request = (token: string) => ({ headers: { authorization: `Bearer ${token}` } }) as never;
    expect(await check(request(await issuer.token()))).toMatchObject({ status: 503 });
    expect(await check(request('mine-token-of-the-tests'))).toMatchObject({ auth: { clientId: 'mine' } });
    expect(await check(request('other-token-of-the-tests'))).toMatchObject({ status: 401 });
  });
});

describe('settings of authentication', () => {
  const load = (file: object) => {
    const place = newPlace();
    const path = join(place.env['HOME'] ?? '', 'holdpoint.yaml');
    writeFileSync(path, JSON.stringify(file));
    try {
      return loadConfig({ config: path, workspace: place.workspace }, place.env);
    } finally {
      place.remove();
    }
  };
  const good = { issuer: 'https://id.example', audience: AUDIENCE, jwksUri: 'https://id.example/keys' };

  test.each([
    [{ auth: { ...good, jwksUri: 'http://id.example/keys' } }, /jwksUri.*https/],
    [{ auth: { ...good, jwksUri: 'file:///etc/keys' } }, /jwksUri.*https/],
    [{ auth: { ...good, jwksUri: 'https://user:pw@id.example/keys' } }, /jwksUri/],
    [{ auth: { ...good, jwksUri: 'http://127.0.0.1.evil.example/keys' } }, /jwksUri/],
    [{ auth: { ...good, issuer: 'http://id.example' } }, /issuer/],
    [{ auth: { issuer: good.issuer, jwksUri: good.jwksUri } }, /auth\.audience/],
    [{ auth: { audience: AUDIENCE, jwksUri: good.jwksUri } }, /auth\.issuer/],
    [{ auth: { ...good, algorithms: ['HS256'] } }, /algorithms/],
    [{ auth: { ...good, algorithms: ['none'] } }, /algorithms/],
    [{ auth: { ...good, clockSkew: '1h' } }, /clockSkew/],
    [{ httpAuth: { tokens: [{ name: 'a', token: 'short' }] } }, /tokens/],
    [{ httpAuth: { tokens: [{ name: 'http', token: 'x'.repeat(20) }] } }, /httpAuth\.token/],
    [{ httpAuth: { tokens: [{ name: 'a', token: 'x'.repeat(20), scopes: ['tools:all'] }] } }, /scopes/],
    [{ httpAuth: { tokens: ['a', 'a'].map((name, at) => ({ name, token: `${at}`.repeat(20) })) } }, /same name/],
    [{ httpAuth: { tokens: ['a', 'b'].map((name) => ({ name, token: 'x'.repeat(20) })) } }, /same token/],
  ])('%j is refused', (file, says) => {
    expect(() => load(file)).toThrow(says);
  });

  test('named tokens are secrets; a loopback issuer may be plain http', () => {
    const token = 'named-token-of-the-tests';
    const jwksUri = 'http://127.0.0.1:8080/keys';
    const config = load({ auth: { ...good, jwksUri }, httpAuth: { tokens: [{ name: 'a', token }] } });
    expect(config.secrets).toContain(token);
    expect(config.auth).toMatchObject({ jwksUri, audience: [AUDIENCE] });
    expect(config.httpAuth.tokens[0]?.scopes).toEqual(['tools:read', 'tools:write']);
  });
});
