import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { hintsAtSecret, isSecretName } from '../../../src/core/secret-names.ts';
import { looksRandom } from '../../../src/redact/random.ts';
import { createRedactor, MASK } from '../../../src/redact/redact.ts';
import { drawn } from '../../canaries.ts';

const redactor = createRedactor([]);
const { text } = redactor;
beforeAll(() => redactor.ready());

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: length, maxLength: length });
const word = fc.string({
  unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'.split('')),
  minLength: 32,
  maxLength: 32,
});

describe('names (C3)', () => {
  test.each([
    'password',
    'DB_PASSWORD',
    'PGPASSWORD',
    'clientSecret',
    'client-secret',
    'GITHUB_TOKEN',
    'authToken',
    'api_key',
    'apiKey',
    'X-Api-Key',
    'AWS_SECRET_ACCESS_KEY',
    'Authorization',
    'Set-Cookie',
    'db.dsn',
    'NEO4J_AUTH',
    'requirepass',
    'secret_key_base',
    'client-key-data',
    '_authToken',
    'SSH_PRIVATE_KEY',
    'AccountKey',
    'connectionString',
    'DB_PASS',
    '.dockerconfigjson',
  ])('%s is a secret’s', (name) => expect(isSecretName(name)).toBe(true));

  test.each([
    'PASSWORD_FILE',
    'TOKEN_TTL',
    'maxTokens',
    'MAX_TOKENS',
    'tokens',
    'secrets',
    'secretName',
    'secretKeyRef',
    'imagePullSecrets',
    'publicKey',
    'primary_key',
    'cacheKey',
    'key',
    'author',
    'COMPASS',
    'PWD',
    'OLDPWD',
    'automountServiceAccountToken',
    'keyboard',
    'pass',
    '',
  ])('%s is none', (name) => expect(isSecretName(name)).toBe(false));

  test('every secret’s name hints at one, and some others do', () => {
    for (const name of ['TOKEN_TTL', 'PRIVATE_MODE', 'HTTP_AUTH_HEADER', 'DB_PASSWORD'])
      expect(hintsAtSecret(name)).toBe(true);
    for (const name of ['VERSION', 'GIT_SHA', 'HTTP_PROXY', 'NODE_ENV', 'AUTHOR', 'COMPASS'])
      expect(hintsAtSecret(name)).toBe(false);
  });
});

describe('what looks random and is no secret stays (C3)', () => {
  test.each([
    'commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b',
    'image: registry.example.org/tta-api@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    'uid: 3c8c1d7e-7a55-4f1e-9d63-0b1f2c3d4e5f',
    'resourceVersion: "81723645"',
    'integrity sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==',
    'pod tta-api-7d9f8b6c5d-x2x4z is Running',
    'cache-key: node-modules-9f86d081884c7d659a2feaa0c55ad015',
    'key: d41d8cd98f00b204e9800998ecf8427e  checksum.txt',
    `ca.crt: ${Buffer.from('an ordinary configuration text, readable by everybody').toString('base64')}`,
    `key: ${Buffer.from('{"level":"info","format":"json"}').toString('base64')}`,
    'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'h1:2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
    'key: /var/lib/app/V2/Data9/File3Name',
    'secret "tta-db" not found',
    'secretKeyRef: { name: db, key: password }',
    'Authorization is needed for this call',
    'the token has expired',
    'token: expired',
    'max_tokens=4096',
    'password: string;',
    'const token = process.env.GITHUB_TOKEN;',
    'password = getPassword()',
    'docker run --user 1000:1000 -p 8080:80 api',
    'https://example.org:8080/a@b',
    'GET /login?next=%2Fhome%3Ftab%3D1 HTTP/1.1',
    'hosts: a,b,c',
    'PWD=/root/work',
    '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQmVyZ2VyIGlzIG5vIHNlY3JldCBhdCBhbGwwCgYIKoZI\n-----END CERTIFICATE-----',
  ])('%s', (line) => expect(text(line)).toBe(line));

  test('digests, ids and commits, under names that hint at nothing or little', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('commit ', 'key: ', 'digest: sha256:', 'etag="', 'checksum = ', 'id: ', 'salt=', 'sig: '),
        fc.oneof(hex(32), hex(40), hex(64), fc.uuid()),
        (before, id) => text(`${before}${id}`) === `${before}${id}`,
      ),
    );
    expect(text(`session ${randomUUID()}`)).not.toContain(MASK);
  });

  test('base64 of text, as config maps have it, wherever it stands without a secret in it', () => {
    fc.assert(
      fc.property(fc.lorem({ mode: 'sentences' }), fc.constantFrom('file: ', 'key: ', 'data '), (words, before) => {
        const line = `${before}${Buffer.from(words).toString('base64')}`;
        expect(text(line)).toBe(line);
      }),
    );
  });

  test('the repository’s own code, manifests and documents: what is masked in them is an example of a secret', () => {
    const root = join(import.meta.dirname, '../../..');
    const of = (folder: string, end: RegExp) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => end.test(name))
        .map((name) => readFileSync(join(root, folder, name), 'utf8'));
    const lines = [...of('src', /\.ts$/), ...of('fixtures/workspace/kubernetes', /\.yaml$/)].flatMap((file) =>
      file.split('\n'),
    );
    const changed = lines.filter((line) => text(line) !== line);
    expect(lines.length).toBeGreaterThan(10_000);
    expect(changed.length / lines.length).toBeLessThan(0.004);
  });
});

describe('what looks random beside a secret’s name goes (C3)', () => {
  test('a generated word of 32 letters and digits, nearly always', () => {
    let missed = 0;
    let all = 0;
    fc.assert(
      fc.property(
        word,
        fc.constantFrom('key=', 'signature: ', 'the password is ', 'session ID: sid=', 'a token was set to '),
        (secret, before) => {
          all += 1;
          if (text(`${before}${secret}`).includes(secret)) missed += 1;
        },
      ),
      { numRuns: 500 },
    );
    expect(missed / all).toBeLessThan(0.05);
  });

  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  test.each([
    [16, `${letters}0123456789`, 0.015],
    [24, `${letters}0123456789`, 0.001],
    [16, letters, 0.05],
    [24, letters, 0.015],
  ])('one of %i characters of %s is missed by chance alone', (length, alphabet, most) => {
    const words = Array.from({ length: 10_000 }, (_none, at) => drawn(`missed ${at}`, length, alphabet));
    // Some happen to look like words: `fOrTheMostPart`.
    const missed = words.filter((secret) => text(`the new password is ${secret} for now`).includes(secret));
    expect(missed.length / words.length, missed.join(' ')).toBeLessThan(most);
  });

  test.each(['getTypeOfSymbolAtLocation', 'KubernetesServiceAccountToken', 'isJSDocPublicTag', 'XMLHttpRequestUpload'])(
    'the key %s is words',
    (name) => expect(text(`key: ${name}, the token of ${name}`)).toBe(`key: ${name}, the token of ${name}`),
  );

  test('alone it stays: nothing says that it is a secret', () => {
    const plain = createHash('sha256').update('x').digest('base64').slice(0, 40);
    expect(looksRandom(plain)).toBe(true);
    expect(text(`built ${plain} here`)).toContain(plain);
  });
});
