import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createRedactor, MASK, secretsOf } from '../../../src/redact/redact.ts';

const { text, json } = createRedactor([]);

describe('redaction of text (C3)', () => {
  // Joined at run time, so that no file of the repository holds anything that a scanner takes for a token.
  const join = (...parts: string[]) => parts.join('');
  const body = 'Zq3x'.repeat(12);
  test.each([
    ['a GitHub token', join('ghp', '_', body.slice(0, 36))],
    ['a GitHub fine-grained token', join('github', '_pat_', body, body)],
    ['a GitLab token', join('glpat', '-', body.slice(0, 20))],
    ['an AWS access key id', join('AK', 'IA', 'ABCDEFGHIJKLMNOP')],
    ['a Slack token', join('xo', 'xb-', body)],
    ['an npm token', join('npm', '_', body.slice(0, 36))],
    ['a JWT', join('eyJ', body, '.eyJ', body, '.', body)],
    ['a Vault token', join('hvs', '.', body)],
  ])('%s is masked wherever it stands', (_name, token) => {
    expect(text(`before ${token} after`)).toBe(`before ${MASK} after`);
  });

  test('a private key is masked whole, even when its end is cut off', () => {
    const begin = ['-----BEGIN', 'RSA PRIVATE KEY-----'].join(' ');
    const end = ['-----END', 'RSA PRIVATE KEY-----'].join(' ');
    expect(text(`x\n${begin}\nMIIE\nabc\n${end}\ny`)).toBe(`x\n${MASK}\n${MASK}\n${MASK}\n${MASK}\ny`);
    expect(text(`x\n${begin}\nMIIE\nabc`)).toBe(`x\n${MASK}\n${MASK}\n${MASK}`);
  });

  test.each([
    ['DB_PASSWORD=hunter2hunter', `DB_PASSWORD=${MASK}`],
    ['api_key: abcd1234', `api_key: ${MASK}`],
    ['  "clientSecret": "s3cr3tvalue",', `  "clientSecret": "${MASK}",`],
    ['export REDIS_TOKEN="a b c d"', `export REDIS_TOKEN="${MASK}"`],
    ['postgres://app:pa55word@db:5432/x', `postgres://app:${MASK}@db:5432/x`],
    ['Authorization: Bearer abcdefghijklmnop', `Authorization: Bearer ${MASK}`],
  ])('%s keeps its key and loses its value', (before, after) => {
    expect(text(before)).toBe(after);
  });

  test.each([
    'TOKEN: ${{ secrets.REGISTRY_TOKEN }}',
    'echo ${{ secrets.REGISTRY_TOKEN }} | docker login -u ${{ secrets.REGISTRY_USER }} --password-stdin',
    'secretKeyRef:\n  name: tta-secrets\n  key: redis-url',
    'password: $(DB_PASSWORD)',
    'image: tta-api:v1.0.0',
    'a token is a string of characters',
    'automountServiceAccountToken: false',
  ])('%j refers to a secret or is none, and stays', (line) => {
    expect(text(line)).toBe(line);
  });

  test('known values are masked in every spelling: plain, base64, URL, JSON', () => {
    const value = 'p@ss "w0rd"/ü';
    const redactor = createRedactor([value]);
    for (const spelling of [
      value,
      Buffer.from(value).toString('base64'),
      encodeURIComponent(value),
      JSON.stringify(value),
    ]) {
      expect(redactor.text(`x ${spelling} y`)).not.toContain('w0rd');
      expect(redactor.text(`x ${spelling} y`)).not.toContain(Buffer.from(value).toString('base64').slice(0, 12));
    }
  });

  test('a known value never survives, whatever is around it', () => {
    const redactor = createRedactor(['s3cr3t-value']);
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        (before, after) => !redactor.text(`${before}s3cr3t-value${after}`).includes('s3cr3t-value'),
      ),
    );
  });

  test('a million characters without a break are no trouble: time grows with the length alone', () => {
    for (const piece of ['a', '-', 'eyJa', 'a://', 'password', 'token=']) {
      const long = piece.repeat(1_000_000 / piece.length);
      expect(text(long).length).toBeGreaterThan(0);
    }
  });

  test('text without secrets stays as it is', () => {
    fc.assert(fc.property(fc.lorem({ mode: 'sentences' }), (words) => text(words) === words));
  });
});

describe('redaction of values (C3)', () => {
  test('strings under a secret’s name go, at any depth; keys, names and other fields stay', () => {
    const value = {
      name: 'db',
      data: { password: 'x', tokens: 3, list: [{ apiKey: ['a', 'b'] }] },
      secretName: 'tta-secrets',
    };
    expect(json(value)).toEqual({
      name: 'db',
      data: { password: MASK, tokens: 3, list: [{ apiKey: [MASK, MASK] }] },
      secretName: 'tta-secrets',
    });
  });

  test('secrets of an environment are told by their names', () => {
    expect(
      secretsOf({
        GITHUB_TOKEN: 'aaaaaa',
        AWS_SECRET_ACCESS_KEY: 'bbbbbb',
        PGPASSWORD: 'cccccc',
        PATH: '/bin',
        HOME: '/h',
        BATTRA_API_KEY: 'dddddd',
      }),
    ).toEqual(['aaaaaa', 'bbbbbb', 'cccccc', 'dddddd']);
  });
});
