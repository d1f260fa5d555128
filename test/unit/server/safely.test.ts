import { expect, test } from 'vitest';

import { HoldpointError } from '../../../src/core/errors.ts';
import { createSafely } from '../../../src/server/safely.ts';

test('nothing is answered, and nothing refused, before redaction has all that it knows', async () => {
  let loaded = false;
  const redactor = {
    ready: async () => {
      await Promise.resolve();
      loaded = true;
    },
    text: (text: string) => (loaded ? text.replace('hunter2', '<masked>') : text),
    json: <T>(value: T) => value,
    stream: () => {
      throw new Error('not here');
    },
  };
  const safely = createSafely({ log: () => undefined, redactor });
  expect(await safely(async () => redactor.text('it is hunter2'))()).toBe('it is <masked>');
  loaded = false;
  const refused = safely(async () => {
    throw new HoldpointError('denied', 'No hunter2 here.');
  });
  await expect(refused()).rejects.toThrow('No <masked> here.');
});
