import { afterEach, expect, test, vi } from 'vitest';

import { connection } from '../../../src/adapters/upstream/connection.ts';

afterEach(() => void vi.useRealTimers());

test('B5: a server that does not start is tried again after 1 s, 2 s, 4 s …, and not before', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const made = connection({
    server: { key: 'it', file: 'mcp.json', says: '', fingerprint: '', secrets: [], problem: 'TOKEN is not set' },
    around: { workspace: '/', path: '', folders: '/' },
    within: { callWithin: 1000, startWithin: 1000, stopAfter: 1000 },
    check: async () => {},
    log: () => {},
  });
  const use = () => made.use(async () => {}, new AbortController().signal);
  for (const wait of [1000, 2000, 4000]) {
    await expect(use()).rejects.toThrow('TOKEN is not set');
    await expect(use()).rejects.toThrow('a moment ago');
    vi.setSystemTime(Date.now() + wait - 1);
    await expect(use()).rejects.toThrow('a moment ago');
    vi.setSystemTime(Date.now() + 1);
  }
  await made.close();
  await expect(use()).rejects.toThrow('stopping');
});
