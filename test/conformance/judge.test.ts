import { describe, expect, test } from 'vitest';

import { judge, type Check } from './suites.ts';

const good: Check = { id: 'good', status: 'SUCCESS' };
const bad: Check = { id: 'bad', status: 'FAILURE', errorMessage: 'not so' };
const warning: Check = { id: 'warning', status: 'WARNING' };
const info: Check = { id: 'info', status: 'INFO' };

describe('what a conformance scenario counts as (A1)', () => {
  test.each<[string, Check[], Record<string, string>, string]>([
    ['passes', [good, info], {}, 'passed'],
    ['fails', [good, bad], {}, 'failed'],
    ['only warns', [good, warning], {}, 'failed'],
    ['fails as listed', [good, bad], { s: 'because' }, 'expected'],
    ['fails as listed, for want of the suite’s things', [bad], { s: "the suite's own tool" }, 'elsewhere'],
    ['fails in the one check that is listed', [good, bad], { 's:bad': 'because' }, 'expected'],
    ['fails in another check than the one listed', [good, bad, warning], { 's:warning': 'because' }, 'failed'],
    ['passes although it is listed', [good], { s: 'because' }, 'stale'],
    ['passes although a check of it is listed', [good], { 's:good': 'because' }, 'stale'],
    ['passes; another one is listed', [good], { other: 'because', 'other:good': 'because' }, 'passed'],
  ])('one that %s', (_name, checks, expected, outcome) => {
    expect(judge('s', checks, new Map(Object.entries(expected))).outcome).toBe(outcome);
  });

  test('a failure says which check failed and how', () => {
    expect(judge('s', [bad, warning], new Map()).reason).toBe('bad: not so; warning');
  });
});
