import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readWorkflow, triggeredBy, workflowStem } from '../../../src/adapters/github/port.ts';

const jobs = 'jobs: { a: { runs-on: x, steps: [] } }';
const on = (text: string) => readWorkflow(`on: ${text}\n${jobs}`);

describe('E1 reading a workflow', () => {
  test('`on` is a word in all its forms, and inputs keep their order, types and defaults', () => {
    expect([...on('push').on.keys()]).toEqual(['push']);
    expect([...on('[push, workflow_dispatch]').on.keys()]).toEqual(['push', 'workflow_dispatch']);
    const { dispatch } = on(`
  workflow_dispatch:
    inputs:
      version: { required: true }
      dry: { type: boolean, default: false }
      count: { type: number, default: 2 }
      size: { type: choice, options: [small, 2] }
      where: { type: environment }`);
    expect([...(dispatch ?? [])]).toEqual([
      ['version', { type: 'string', required: true }],
      ['dry', { type: 'boolean', required: false, default: 'false' }],
      ['count', { type: 'number', required: false, default: '2' }],
      ['size', { type: 'choice', required: false, options: ['small', '2'] }],
      ['where', { type: 'environment', required: false }],
    ]);
    expect(on('push').dispatch).toBeUndefined();
    expect(on('workflow_dispatch').dispatch?.size).toBe(0);
  });

  test('what is no workflow is refused and says where', () => {
    expect(() => readWorkflow('on: push\njobs: [')).toThrow(
      expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining('line 2') }),
    );
    for (const text of ['', 'on: push', jobs, '- a', 'on: push\njobs: {}', 'on: push\non: push\njobs: { a: {} }'])
      expect(() => readWorkflow(text), text).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });

  test('aliases that multiply, deep nesting and huge files are refused, not followed', () => {
    const lists = Array.from({ length: 12 }, (_, at) => `a${at + 1}: &a${at + 1} [${`*a${at}, `.repeat(9)}]`);
    const bomb = `a0: &a0 [x]\n${lists.join('\n')}\non: push\n${jobs}`;
    for (const text of [bomb, `on: ${'['.repeat(50_000)}`, `on: push\n${jobs}\n# ${'x'.repeat(600_000)}`])
      expect(() => readWorkflow(text)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });

  test('an anchor used once is fine', () => {
    expect(readWorkflow('on: push\njobs: { a: &job { environment: dev }, b: *job }').jobs[1]?.environment).toBe('dev');
  });

  test('any text either reads or is refused', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(readWorkflow(`on: push\njobs:\n  a:\n    environment: ${text}`).jobs.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_input' });
        }
      }),
    );
  });

  test('a workflow’s name in policies is its file’s', () => {
    expect(workflowStem('.github/workflows/deploy-production.yml')).toBe('deploy-production');
    expect(workflowStem('Deploy production')).toBe('Deploy production');
  });
});

describe('E6 what a push starts', () => {
  const starts = (filters: string, happening: object) => triggeredBy(on(filters), { event: 'push', ...happening });

  test.each([
    ['{ push: { branches: [main, "release/**"] } }', ['main', 'release/1/2'], ['feature', 'release', 'Main']],
    ['{ push: { branches: ["*"] } }', ['main'], ['feature/x']],
    ['{ push: { branches: ["**", "!main"] } }', ['feature/x', 'dev'], ['main']],
    ['{ push: { branches: ["!main", "**"] } }', ['main'], []],
    ['{ push: { branches-ignore: ["wip/*"] } }', ['main', 'wip/a/b'], ['wip/a']],
    ['{ push: { branches: ["v[12].[0-9]+"] } }', ['v1.10', 'v2.0'], ['v3.0', 'v1.', 'v1x0']],
    ['{ push: { branches: ["colou?r"] } }', ['color', 'colour'], ['colouur']],
    ['{ push: { tags: ["v*"] } }', [], ['main', 'v1']],
    ['{ push: { branches: main } }', ['main'], ['dev']],
    ['push', ['main', 'x/y'], []],
    ['{ push: { branches: [a] }, pull_request: }', ['a'], ['b']],
    ['pull_request', [], ['main']],
    ['{ push: { branches: ["[bad"] } }', ['anything'], []],
  ])('branches: %s', (filters, yes, no) => {
    for (const branch of yes) expect(starts(filters, { branch }), branch).toBe(true);
    for (const branch of no) expect(starts(filters, { branch }), branch).toBe(false);
  });

  test('tags: filters of branches alone leave tags out, and paths do not count for them', () => {
    expect(starts('{ push: { branches: [main] } }', { tag: 'v1' })).toBe(false);
    expect(starts('{ push: { tags: ["v*"], paths: [src/**] } }', { tag: 'v1', paths: ['README.md'] })).toBe(true);
    expect(starts('{ push: { tags-ignore: ["v*"] } }', { tag: 'v1' })).toBe(false);
    expect(starts('push', { tag: 'v1' })).toBe(true);
  });

  test('paths: one that fits is enough, all must be left out; unknown ones start it', () => {
    const only = '{ push: { paths: ["src/**", "!src/docs/**"] } }';
    expect(starts(only, { branch: 'a', paths: ['README.md', 'src/x/y.ts'] })).toBe(true);
    expect(starts(only, { branch: 'a', paths: ['src/docs/a.md'] })).toBe(false);
    expect(starts(only, { branch: 'a' })).toBe(true);
    expect(starts(only, { branch: 'a', paths: Array.from({ length: 301 }, () => 'x') })).toBe(true);
    const except = '{ push: { paths-ignore: ["docs/**", "**/*.md"] } }';
    expect(starts(except, { branch: 'a', paths: ['docs/a.txt', 'README.md', 'src/a.md'] })).toBe(false);
    expect(starts(except, { branch: 'a', paths: ['docs/a.txt', 'src/a.ts'] })).toBe(true);
  });

  test('no pattern takes long', () => {
    const pattern = '*a'.repeat(400);
    expect(starts(`{ push: { branches: ["${pattern}b"] } }`, { branch: 'a'.repeat(250) })).toBe(false);
  });
});
