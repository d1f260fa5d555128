import { defineConfig } from 'vitest/config';

import { reporters } from './vitest.reporters.ts';

/** Tests that start Holdpoint as a process: the bundle that is published. */
const BUILT = ['test/{conformance,protocol}/**/*.test.ts', 'test/unit/*/command.test.ts'];

/** Everything that needs no service. */
export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'source', include: ['test/**/*.test.ts'], exclude: ['test/live/**', ...BUILT] } },
      { extends: true, test: { name: 'built', include: BUILT, globalSetup: 'test/built.ts' } },
    ],
    // Most of their time is waited for processes that they start.
    maxWorkers: '100%',
    setupFiles: ['test/properties.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    ...reporters(),
  },
});
