import { expect, test } from 'vitest';

import { CODE_MISTAKES, planted, withMistake } from './explore/code-mistakes.ts';
import { conform, itinerary } from './explore/conform.ts';
import { search } from './explore/search.ts';

const NIGHTLY = process.env['HOLDPOINT_NIGHTLY'] === '1';

test.each([1, 2])(
  'I2 I8 the real code does what the model does, along its whole graph, and leaves nothing half done at any statement; %i approvals needed',
  async (needed) => {
    const { acts, deaths } = await conform(itinerary(search(needed).places, NIGHTLY));
    process.stdout.write(`${needed} approvals: ${acts} acts of the real code, ${deaths} deaths within one\n`);
    expect(acts).toBeGreaterThan(15_000);
    expect(deaths).toBeGreaterThan(1500);
  },
  600_000,
);

test.each(CODE_MISTAKES)('I2 a mistake for `pnpm test:nightly` still fits the code: $mistake', (mistake) => {
  expect(planted(mistake)).toContain(mistake.instead[1]);
});

test.runIf(NIGHTLY)(
  'I2 a mistake in a copy of the code is seen against the model',
  async () => {
    const way = itinerary(search(2).places);
    for (const mistake of CODE_MISTAKES) {
      const seen = await withMistake(mistake, (create) => conform(way, create)).then(
        () => 'nothing',
        (error: Error) => error.message,
      );
      process.stdout.write(`${mistake.mistake}:\n  ${seen.replaceAll('\n', '\n  ')}\n`);
      expect(seen).toMatch(/in the code|^the code|: the code|outside its own transaction|No transition from/);
    }
  },
  600_000,
);
