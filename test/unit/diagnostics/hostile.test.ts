import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { diagnose, MAX_FILE, readChecked } from '../../../src/adapters/diagnostics/diagnose.ts';
import { findingsOf } from './rule-cases.ts';

const PATHS = ['Dockerfile', 'compose.yml', 'kubernetes/a.yaml', '.github/workflows/a.yml', 'action.yml'];

const WORDS = {
  Dockerfile: [
    'FROM ',
    'a:1',
    ' AS ',
    'RUN ',
    'COPY ',
    'ENV ',
    'ARG ',
    'USER ',
    'CMD ',
    '--from=',
    '--mount=',
    '<<',
    'EOF',
    '\\',
    '\n',
    '"',
    "'",
    '[',
    ']',
    '$',
    '{',
    '}',
    '#',
    '=',
    ' ',
    'curl | sh',
    '&&',
    '`',
    '# escape=`\n',
    '\r',
    'apt-get install ',
  ],
  yaml: [
    'a',
    'on',
    'jobs',
    'steps',
    'services',
    'image',
    'apiVersion: ',
    'kind: ',
    'Secret',
    'data',
    'spec',
    'containers',
    'env',
    'run',
    'uses',
    'needs',
    'List',
    'items',
    ': ',
    '- ',
    '\n',
    '\n  ',
    '\n    ',
    '{',
    '}',
    '[',
    ']',
    ', ',
    '&a ',
    '*a',
    '<<: ',
    '|',
    '>',
    '"',
    "'",
    '!t ',
    '---',
    '? ',
    '${{ ',
    ' }}',
    '%',
    '\t',
    '0',
    'true',
    'null',
  ],
};

function texts(words: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.array(fc.constantFrom(...words), { maxLength: 80 }).map((parts) => parts.join('')),
  );
}

/** A valid beginning of each kind of file, so that the rules get to see what follows. */
const HEADS: Record<string, string> = {
  Dockerfile: 'FROM a:1\n',
  'compose.yml': 'services:\n  a:\n    image: a\n    environment:\n      ',
  'kubernetes/a.yaml': 'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - env:\n        - ',
  '.github/workflows/a.yml': 'on: push\njobs:\n  a:\n    steps:\n      - run: ',
  'action.yml': 'runs:\n  using: composite\n  steps:\n    - ',
};

describe('any text gives findings or none, and never throws (C6)', () => {
  test.for(PATHS)('%s', (path) => {
    const lines = (text: string) => text.split('\n').length;
    fc.assert(
      fc.property(texts(path === 'Dockerfile' ? WORDS.Dockerfile : WORDS.yaml), fc.boolean(), (text, headed) => {
        const whole = headed ? `${HEADS[path]}${text}` : text;
        for (const { line, what, fix } of findingsOf(path, whole)) {
          expect(line).toBeGreaterThan(0);
          expect(line).toBeLessThanOrEqual(lines(whole));
          expect(what).not.toBe('');
          expect(fix).not.toBe('');
        }
      }),
      { numRuns: 500 },
    );
  });

  const fill = (part: string) => part.repeat(Math.floor(MAX_FILE / part.length));
  const manifest = 'apiVersion: v1\nkind: Pod\n';
  const laughs = Array.from(
    { length: 30 },
    (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level}, `.repeat(9)}]`,
  );
  test.for([
    ['nesting', 'kubernetes/a.yaml', fill('[')],
    ['aliases that multiply', 'kubernetes/a.yaml', `${manifest}l0: &l0 [1, 2, 3]\n${laughs.join('\n')}\n`],
    [
      'an alias inside its own anchor',
      'kubernetes/a.yaml',
      `${manifest}spec: &a { containers: [*a, *a], template: *a }`,
    ],
    [
      'a List in itself',
      'kubernetes/a.yaml',
      'apiVersion: v1\nkind: List\nitems: &a [{ apiVersion: v1, kind: List, items: *a }]',
    ],
    [
      'as many keys as fit',
      'kubernetes/a.yaml',
      manifest + Array.from({ length: 40_000 }, (_, at) => `k${at}: 1`).join('\n'),
    ],
    ['one pipeline', 'Dockerfile', `FROM a\nRUN ${fill('curl a | ')}`],
    [
      'expressions that never end',
      '.github/workflows/a.yml',
      `on: push\njobs: { a: { steps: [{ run: '${fill('${{ ')}' }] } }`,
    ],
    [
      'jobs that need each other',
      '.github/workflows/a.yml',
      'on: push\njobs: { a: { needs: b, steps: [{ run: docker push a }] }, b: { needs: a } }',
    ],
    ['here-documents that never end', 'Dockerfile', `FROM a\n${fill('RUN <<A\n')}`],
    [
      'stages on stages',
      'Dockerfile',
      Array.from({ length: 5000 }, (_, at) => `FROM ${at === 0 ? 'a' : `s${at - 1}`} AS s${at}`).join('\n'),
    ],
  ] as const)('%s', { timeout: 60_000 }, ([, path, text]) => {
    const file = readChecked(path, text);
    expect(() => diagnose(file ? [file] : [], { ignores: () => false })).not.toThrow();
  });

  test('a broken file is a finding with its line, and what can be read of it is checked', () => {
    expect(findingsOf('compose.yml', 'services:\n  a: [\n')).toMatchObject([
      { rule: 'syntax', line: 3, severity: 'error' },
    ]);
    const doubled = 'services:\n  a:\n    image: a:1\n    privileged: true\n    image: a:2\n';
    expect(findingsOf('compose.yml', doubled).map(({ rule }) => rule)).toEqual(
      expect.arrayContaining(['privileged', 'syntax']),
    );
    expect(findingsOf('compose.yml', doubled)).toContainEqual(expect.objectContaining({ rule: 'syntax', line: 5 }));
  });
});

describe('no finding shows a secret’s value (C6, C3)', () => {
  const value = fc
    .stringMatching(/^[A-Za-z0-9]{12,40}$/)
    .filter((text) => !/^(?:change|replace|your|x{3,})/i.test(text));
  const PLANTED: readonly (readonly [string, (value: string) => string])[] = [
    ['Dockerfile', (v) => `FROM a:1\nENV DB_PASSWORD=${v} API_KEY="${v}"\nARG TOKEN=${v}\nENV AUTH_TOKEN ${v}\n`],
    [
      'Dockerfile',
      (v) =>
        `FROM a:1\nRUN curl -u me:${v} https://u:${v}@h/i | sh\nCMD serve --token ${v}\nADD https://u:${v}@h/a /a\n`,
    ],
    [
      'compose.yml',
      (v) =>
        `services:\n  a:\n    image: a\n    environment: [API_TOKEN=${v}, 'URL=http://u:${v}@h']\n    build: { args: { NPM_TOKEN: ${v}a } }\n`,
    ],
    [
      'a.yaml',
      (v) =>
        `apiVersion: v1\nkind: Secret\nstringData: { password: v${v} }\ndata: { token: ${Buffer.from(v).toString('base64')} }\n`,
    ],
    [
      'a.yaml',
      (v) =>
        `apiVersion: v1\nkind: Pod\nspec: { containers: [{ name: a, env: [{ name: DB_PASSWORD, value: v${v} }] }] }\n`,
    ],
    ['a.yaml', (v) => `apiVersion: v1\nkind: ConfigMap\ndata: { API_KEY: v${v}, url: 'redis://:${v}@h' }\n`],
    [
      '.github/workflows/a.yml',
      (v) =>
        `on: push\nenv: { API_KEY: v${v} }\njobs: { a: { steps: [{ run: 'curl https://u:${v}@h | sh' }, { uses: a/b@v1, with: { password: v${v} } }] } }\n`,
    ],
    ['compose.yml', (v) => `services:\n  a: { environment: { API_KEY: "${v}\n    b: [ ${v}\n`],
  ];

  test.for(PLANTED)('%s', ([path, plant]) => {
    fc.assert(
      fc.property(value, (planted) => {
        const findings = findingsOf(path, plant(planted));
        expect(findings.some(({ severity }) => severity === 'error')).toBe(true);
        const shown = JSON.stringify(findings);
        expect(shown).not.toContain(planted);
        expect(shown).not.toContain(Buffer.from(planted).toString('base64'));
      }),
      { numRuns: 50 },
    );
  });
});
