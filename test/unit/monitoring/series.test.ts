import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { reportSeries, trendOf, type Series } from '../../../src/adapters/monitoring/series.ts';

const window = { start: 0, end: 600, step: 10 };
const plain = { limit: 10, points: false, redact: (text: string) => text };
const of = (values: number[], labels: Record<string, string> = {}): Series => ({
  labels,
  samples: values.map((value, index) => [index * 10, value]),
});
const one = (values: number[], over: object = {}) =>
  reportSeries([of(values)], window, { ...plain, ...over }).series[0];

describe('trend', () => {
  test.each([
    ['rising', [1, 1, 2, 3, 4, 5, 6, 6]],
    ['falling', [6, 6, 5, 4, 3, 2, 1, 1]],
    ['flat', [100, 101, 99, 100, 102, 100, 99, 101]],
    ['flat', [0, 0, 0, 0]],
    ['flat', [5]],
    ['spiky', [1, 1, 1, 50, 1, 1, 1, 1]],
    ['rising', [0, 0, 0, 0, 5, 5]],
  ])('F1 %s: %j', (trend, values) => {
    expect(trendOf(values).trend).toBe(trend);
  });

  test('F1 the change is in percent, from the first quarter to the last; none where that began at 0', () => {
    expect(trendOf([2, 2, 3, 3, 4, 4, 5, 5])).toEqual({ trend: 'rising', change: 150 });
    expect(trendOf([-2, -2, -4, -4]).change).toBe(-100);
    expect(trendOf([0, 0, 1, 1])).toEqual({ trend: 'rising' });
    expect(trendOf([-1000, -1000, -900, -1001]).change).toBe(0);
  });
});

describe('figures', () => {
  test('F1 min, max, last, average and points; four digits, whole numbers whole', () => {
    expect(one([0.123456, 0.3, 0.2])).toMatchObject({ min: 0.1235, max: 0.3, last: 0.2, avg: 0.2078, points: 3 });
    expect(one([12_345_678])).toMatchObject({ last: 12_345_678 });
    expect(one([-0])).toMatchObject({ last: 0, min: 0, avg: 0 });
  });

  test('F1 what is not finite is counted and shown, and spoils no figure', () => {
    expect(one([1, Number.NaN, Infinity, 3])).toMatchObject({ min: 1, max: 3, avg: 2, special: 2, points: 4 });
    expect(one([1, -Infinity])).toMatchObject({ last: '-Inf', max: 1 });
    expect(one([Number.NaN])).toEqual({ labels: {}, last: 'NaN', points: 1, endedBefore: 600, special: 1 });
    expect(one([])).toEqual({ labels: {}, points: 0 });
  });

  test('F1 gaps inside, and a series that ended before the range did', () => {
    const samples: Series['samples'] = [0, 10, 40, 50, 90].map((at) => [at, 1]);
    expect(reportSeries([{ labels: {}, samples }], window, plain).series[0]).toMatchObject({
      gaps: 2,
      endedBefore: 510,
    });
  });

  test('F1 one moment: the value alone', () => {
    const report = reportSeries([of([7])], { start: 0, end: 0, step: 0 }, { ...plain, points: true });
    expect(report).toEqual({ common: {}, series: [{ labels: {}, last: 7, points: 1 }], more: 0 });
  });

  test('F1 figures lie within the values and are JSON, whatever the values are', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { maxLength: 80 }), fc.boolean(), (values, points) => {
        const summary = one(values, { points });
        expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
        const { min = 0, avg = 0, max = 0 } = summary ?? {};
        const slack = Math.max(Math.abs(min), Math.abs(max)) * 0.001;
        expect(avg).toBeGreaterThanOrEqual(min - slack);
        expect(avg).toBeLessThanOrEqual(max + slack);
      }),
    );
  });
});

describe('bounds', () => {
  test('F1 the largest and the most changed come first, and the number left out is said', () => {
    const all = [
      of([1, 1], { pod: 'quiet' }),
      of([0, 40], { pod: 'grown' }),
      of([100, 100], { pod: 'large' }),
      of([1, 2], { pod: 'small' }),
    ];
    const report = reportSeries(all, window, { ...plain, limit: 2 });
    expect(report.series.map(({ labels }) => labels['pod'])).toEqual(['large', 'grown']);
    expect(report.more).toBe(2);
  });

  test('F1 labels that all share are said once, also those of series left out', () => {
    const all = ['a', 'b', 'c'].map((pod) => of([1], { job: 'api', pod, ...(pod === 'c' ? {} : { zone: '1' }) }));
    const report = reportSeries(all, window, { ...plain, limit: 2 });
    expect(report.common).toEqual({ job: 'api' });
    expect(report.series[0]?.labels).toEqual({ pod: 'a', zone: '1' });
    expect(reportSeries(all.slice(0, 1), window, plain)).toMatchObject({
      common: {},
      series: [{ labels: { job: 'api', pod: 'a', zone: '1' } }],
    });
  });

  test('F1 values only when asked, at most some thirty, spikes kept, gaps null', () => {
    const values = Array.from({ length: 61 }, (_, index) => (index === 33 ? 900 : 1));
    expect(one(values)).not.toHaveProperty('values');
    const report = reportSeries([of(values)], window, { ...plain, points: true });
    expect(report.every).toBe(30);
    expect(report.series[0]?.values).toHaveLength(21);
    expect(report.series[0]?.values).toContain(900);
    expect(one([1, 1], { points: true })?.values?.slice(0, 3)).toEqual([1, null, null]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 86_400 }), (steps, step) => {
        const long = { start: 0, end: steps * step, step };
        const [first] = reportSeries([of([1])], long, { ...plain, points: true }).series;
        expect(first?.values?.length).toBeLessThanOrEqual(31);
      }),
    );
  });

  test('J1 labels are data: bounded, without control characters, secrets masked before they are cut', () => {
    const redact = (text: string) => text.replaceAll(/hunter\d+/g, '[redacted]');
    const labels = {
      pod: 'a\u001B[31m\u202Eb',
      long: `${'x'.repeat(78)}hunter2222`,
      ...Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`z${index}`, 'v'])),
    };
    const shown = reportSeries([of([1], labels)], window, { ...plain, redact }).series[0]?.labels ?? {};
    expect(Object.keys(shown)).toHaveLength(13);
    expect(shown['…']).toBe('20 more');
    expect(shown['pod']).toBe('a [31m b');
    expect(shown['long']).toBe(`${'x'.repeat(78)}[…`);
  });
});
