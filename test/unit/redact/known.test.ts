import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createRedactor, knownSecrets, secretsOf } from '../../../src/redact/redact.ts';
import { hits } from '../../canaries.ts';

const secret = fc
  .string({ minLength: 6, maxLength: 60, unit: 'grapheme-ascii' })
  .filter((value) => value.trim().length >= 6 && !/^[ [\]redacted]*$/.test(value))
  .map((value) => `Zq${value.trim()}9x`);

describe('known values in every spelling (C3)', () => {
  const around = fc.uint8Array({ maxLength: 40 });
  test.each<[string, (bytes: Buffer, before: Buffer, after: Buffer) => string]>([
    [
      'base64 of a longer text, at every place in it',
      (bytes, before, after) => Buffer.concat([before, bytes, after]).toString('base64'),
    ],
    ['the URL-safe alphabet', (bytes, before, after) => Buffer.concat([before, bytes, after]).toString('base64url')],
    [
      'base64 over lines',
      (bytes, before, after) =>
        Buffer.concat([before, bytes, after])
          .toString('base64')
          .replace(/(.{20})/g, '$1\n'),
    ],
    ['hex', (bytes) => `0a${bytes.toString('hex')}ff`],
    ['hex in capitals', (bytes) => bytes.toString('hex').toUpperCase()],
    ['a URL', (bytes) => encodeURIComponent(bytes.toString())],
    [
      'a URL in small letters',
      (bytes) => encodeURIComponent(bytes.toString()).replace(/%../g, (code) => code.toLowerCase()),
    ],
    ['a form', (bytes) => new URLSearchParams({ a: bytes.toString() }).toString()],
    ['JSON', (bytes) => JSON.stringify({ a: bytes.toString() })],
    ['JSON in JSON', (bytes) => JSON.stringify({ b: JSON.stringify({ a: bytes.toString() }) })],
    [
      'JSON as Go writes it',
      (bytes) =>
        JSON.stringify(bytes.toString()).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`),
    ],
    [
      'HTML',
      (bytes) =>
        bytes
          .toString()
          .replaceAll('&', '&amp;')
          .replaceAll('<', '&lt;')
          .replaceAll('>', '&gt;')
          .replaceAll('"', '&quot;')
          .replaceAll("'", '&#39;'),
    ],
    ['plain', (bytes, before, after) => `${before.toString('latin1')}${bytes.toString()}${after.toString('latin1')}`],
  ])('%s', (_how, write) => {
    fc.assert(
      fc.property(secret, around, around, (value, before, after) => {
        const { text } = createRedactor([value]);
        const written = write(Buffer.from(value), Buffer.from(before), Buffer.from(after));
        const shown = text(written);
        // The text changed, and the search of the canary tests finds nothing of it.
        expect(shown).not.toBe(written);
        expect(hits(Buffer.from(shown), [{ value, form: 'known', text: written }])).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('of the environment: by name, and passwords in addresses; of settings: what is marked', () => {
    const environment = {
      GITHUB_TOKEN: 'aaaaaa',
      DATABASE_URL: 'postgres://app:p%40ss-word@db/x',
      GOOGLE_APPLICATION_CREDENTIALS: '/etc/keys/google.json',
      PATH: '/bin',
      PWD: '/root/work',
    };
    expect(secretsOf(environment)).toEqual(['aaaaaa', 'p%40ss-word', 'p@ss-word']);
    expect(knownSecrets({ environment, secrets: ['marked'] })).toContain('marked');
    expect(
      createRedactor(knownSecrets({ environment, secrets: [] })).text('it was p@ss-word, in /etc/keys/google.json'),
    ).toBe('it was [redacted], in /etc/keys/google.json');
  });
});
