import { defineConfig } from 'vitest/config';

import { reporters } from './vitest.reporters.ts';

/** Everything that needs no service. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/live/**'],
    setupFiles: ['test/properties.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    ...reporters(),
  },
});
