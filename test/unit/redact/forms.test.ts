import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { createRedactor, MASK } from '../../../src/redact/redact.ts';
import { canaries, hits } from '../../canaries.ts';

const redactor = createRedactor([]);
const { text, json } = redactor;
beforeAll(() => redactor.ready());

describe('every form that a secret is written in (C3)', () => {
  test.each(canaries('forms').map((canary) => [canary.form, canary] as const))('%s', (_form, canary) => {
    const whole = `line before\n${canary.text}\nline after`;
    const shown = text(whole);
    expect(hits(Buffer.from(whole), [canary])).not.toEqual([]);
    expect(hits(Buffer.from(shown), [canary])).toEqual([]);
    expect(shown).toMatch(/^line before\n[\s\S]*\nline after$/);
    // What stands on which line stays true, and a second look finds nothing more.
    expect(shown.split('\n')).toHaveLength(whole.split('\n').length);
    expect(text(shown)).toBe(shown);
  });

  test.each([
    [
      'as a diff',
      (lines: string[]) =>
        `@@ -1,9 +1,9 @@\n${lines.map((line) => `-old ${line.length}`).join('\n')}\n${lines.map((line) => `+${line}`).join('\n')}`,
    ],
    ['quoted by another program', (lines: string[]) => `It said: ${JSON.stringify(lines.join('\n'))}.`],
    ['in an object', (lines: string[]) => JSON.stringify({ message: lines.join('\n'), list: [lines.join('\n')] })],
    ['indented', (lines: string[]) => lines.map((line) => `    ${line}`).join('\n')],
  ])('%s', (_how, write) => {
    for (const canary of canaries('wrapped')) {
      const shown = text(write(canary.text.split('\n')));
      expect(hits(Buffer.from(shown), [canary]), `${canary.form}\n${shown}`).toEqual([]);
    }
  });

  test('one after the other in any order, with other text between', () => {
    const all = canaries('order');
    fc.assert(
      fc.property(
        fc.shuffledSubarray(all, { minLength: 2, maxLength: 12 }),
        fc.lorem({ mode: 'sentences', maxCount: 2 }),
        (some, words) => {
          const shown = text(some.map((canary) => canary.text).join(`\n${words}\n`));
          expect(hits(Buffer.from(shown), some)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('JSON stays JSON', () => {
    for (const value of [
      { password: 'a"b\\c', n: 1 },
      { env: ['A_TOKEN=x,y', 'B=2'] },
      { auth: { token: 'x' }, list: ['--password', 'v'] },
    ]) {
      const shown = text(JSON.stringify(value));
      expect(() => JSON.parse(shown) as unknown, shown).not.toThrow();
      expect(shown).toContain(MASK);
    }
  });

  test('arguments: the value after a flag that takes a secret, as a list and as a line', () => {
    const args = ['login', '-u', 'ann', '-p', 'open sesame', 'registry.example'];
    expect(json(args)).toEqual(['login', '-u', 'ann', '-p', MASK, 'registry.example']);
    expect(json(['db', '--password', 'open sesame', '-v'])).toEqual(['db', '--password', MASK, '-v']);
    expect(json(['patch', 'deployment', 'api', '-p', '{"spec":{}}'])).toContain('{"spec":{}}');
    expect(text('docker login -u ann -p opensesame registry.example')).toBe(
      `docker login -u ann -p ${MASK} registry.example`,
    );
    expect(text(JSON.stringify({ args: ['login', '-p', 'opensesame'] }))).not.toContain('opensesame');
  });

  test('Kubernetes Secrets, the Engine’s environments and named values in objects; keys stay', () => {
    expect(
      json({
        items: [{ kind: 'Secret', data: { config: 'aGVsbG8=', other: 'd29ybGQ=' }, type: 'Opaque' }],
        Env: ['PATH=/bin', 'CONFIG=plain'],
        env: [
          { name: 'SMTP_PASSWORD', value: 'plain' },
          { name: 'MODE', value: 'fast' },
        ],
        volumes: [{ secret: { secretName: 'db' } }],
      }),
    ).toEqual({
      items: [{ kind: 'Secret', data: { config: MASK, other: MASK }, type: 'Opaque' }],
      Env: ['PATH=/bin', `CONFIG=${MASK}`],
      env: [
        { name: 'SMTP_PASSWORD', value: MASK },
        { name: 'MODE', value: 'fast' },
      ],
      volumes: [{ secret: { secretName: 'db' } }],
    });
  });
});

describe('what the maintained rule set alone finds', () => {
  const find = ['a Cloudflare token', ['cf', 'ut_', 'aB3d'.repeat(10), 'deadbeef'].join('')] as const;
  test.each([find])('%s', async (_name, token) => {
    const { loadRules } = await import('../../../src/redact/rules.ts');
    const ranges = (await loadRules())(`before ${token} after`);
    expect(ranges).toEqual([[7, 7 + token.length]]);
  });

  test('no text switches it off, and an account’s number is no secret', async () => {
    const { loadRules } = await import('../../../src/redact/rules.ts');
    const rules = await loadRules();
    const token = ['gh', 'p_', 'aB3d'.repeat(9)].join('');
    expect(rules(`secretlint-disable\n${token}\nsecretlint-enable`)).toHaveLength(1);
    expect(rules('AWS_ACCOUNT_ID = "1234-5678-9012"')).toEqual([]);
  });
});
