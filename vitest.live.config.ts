import { defineConfig } from 'vitest/config';

import { reporters } from './vitest.reporters.ts';

/** Against real servers (scripts/live/up). One file at a time: they share one Engine and one cluster. */
export default defineConfig({
  test: {
    include: ['test/live/**/*.test.ts'],
    globalSetup: 'test/built.ts',
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    ...reporters(),
  },
});
