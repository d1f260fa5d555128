import { describe, expect, test } from 'vitest';

import { metricNames } from '../../../src/adapters/monitoring/absent.ts';
import { matcherText, plainFilter, readMatchers, refuseBroad } from '../../../src/adapters/monitoring/matchers.ts';
import { durationText, readWindow, seconds } from '../../../src/adapters/monitoring/window.ts';

const NOW = Date.parse('2026-03-01T12:00:07Z');
const at = (text: string) => Date.parse(text) / 1000;

describe('times', () => {
  test('F1 an hour by default, in at most 120 points, on the step’s own grid', () => {
    expect(readWindow({}, NOW)).toEqual({
      start: at('2026-03-01T11:00:00Z'),
      end: at('2026-03-01T12:00:00Z'),
      step: 30,
    });
    for (const from of ['-1m', '-17m', '-6h', '-3d', '-40d', '-52w']) {
      const { start, end, step } = readWindow({ from }, NOW);
      expect((end - start) / step, from).toBeLessThanOrEqual(121);
      expect([start % step, end % step]).toEqual([0, 0]);
    }
  });

  test('F1 relative, ISO (UTC without a zone), Unix seconds and milliseconds, now', () => {
    const start = (from: string) => readWindow({ from, to: '2026-03-01T12:00Z', step: '1s' }, NOW).start;
    expect(start('2026-03-01T11:50')).toBe(at('2026-03-01T11:50Z'));
    expect(start('2026-03-01 12:50:30+01:00')).toBe(at('2026-03-01T11:50:30Z'));
    expect(start(String(at('2026-03-01T11:50Z')))).toBe(at('2026-03-01T11:50Z'));
    expect(start(`${at('2026-03-01T11:50Z')}000`)).toBe(at('2026-03-01T11:50Z'));
    expect(start('now-10m')).toBe(at('2026-03-01T11:50:07Z'));
    expect(readWindow({ from: 'now' }, NOW)).toEqual({
      start: at('2026-03-01T12:00:07Z'),
      end: at('2026-03-01T12:00:07Z'),
      step: 0,
    });
  });

  test.each([
    [{ from: 'yesterday' }, /no time \(from\)/],
    [{ to: '2026-13-01' }, /no time \(to\)/],
    [{ from: '-1h', to: '-2h' }, /ends before it starts/],
    [{ step: '0s' }, /no step/],
    [{ step: '5' }, /no step/],
    [{ from: '-30d', step: '1s' }, /more than 1000 points/],
    [{ from: 'now', step: '1m' }, /no step/],
  ])('F1 %j is refused', (written, message) => {
    expect(() => readWindow(written, NOW)).toThrow(message);
  });

  test('durations', () => {
    expect(seconds('1h30m')).toBe(5400);
    expect([seconds('h'), seconds('1x'), seconds(''), seconds('-1h')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect([0, 5, 90, 5400, 90_061].map(durationText)).toEqual(['0s', '5s', '1m30s', '1h30m', '1d1h']);
  });
});

describe('matchers', () => {
  test('F1 the four operators, quoted or not, and back', () => {
    const written = ['severity=critical', 'job != x', 'pod=~api-.*', 'env!~"a|b"', 'path="/a=b \\"c\\""'];
    expect(readMatchers(written).map(matcherText)).toEqual([
      'severity="critical"',
      'job!="x"',
      'pod=~"api-.*"',
      'env!~"a|b"',
      'path="/a=b \\"c\\""',
    ]);
  });

  test.each(['x', '=a', '1a=b', 'a="b', 'a=b"c', 'a-b=c', 'a=b\nc', 'a=b\u202E', `a=${'x'.repeat(301)}`])(
    'F1 %j is none',
    (text) => {
      expect(() => readMatchers([text])).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    },
  );

  test('F1 a silence that nothing holds to a label value is refused', () => {
    for (const broad of [[], ['a=~.*'], ['a=~x'], ['a!=b'], ['a='], ['a=""', 'b=~.+']])
      expect(() => refuseBroad(readMatchers(broad)), broad.join()).toThrow(expect.objectContaining({ code: 'denied' }));
    expect(() => refuseBroad(readMatchers(['a=~.*', 'alertname=X']))).not.toThrow();
  });

  test('F1 systems without matchers are filtered by equality, and no regular expression of an agent is run', () => {
    const fits = plainFilter(readMatchers(['a=1', 'b!=2']), 'Rules');
    expect([fits({ a: '1' }), fits({ a: '1', b: '2' }), fits({})]).toEqual([true, false, false]);
    expect(() => plainFilter(readMatchers(['a=~(x+)+y']), 'Rules')).toThrow(/regular expression/);
  });
});

test.each([
  ['up', ['up']],
  ['sum by (job, pod) (rate(http_requests_total{code=~"5..", job="x"}[5m])) > 0.5', ['http_requests_total']],
  ['a:b:c / on(x) group_left(y) d offset 5m', ['a:b:c', 'd']],
  ['histogram_quantile(0.9, sum(rate(lat_bucket[1m])) by (le))', ['lat_bucket']],
  ['{__name__="weird", a="b"}', ['weird']],
  ['vector(1) and NaN or Inf', []],
  ['label_replace(up, "a", "$1", "b", "(.*)") # comment metric', ['up']],
  ['a + b + c + d', ['a', 'b', 'c']],
])('F1 the metrics of %s', (query, names) => {
  expect(metricNames(query)).toEqual(names);
});
