import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { serverNameProblem, wholeName } from '../../../src/adapters/upstream/names.ts';

const servers = fc.stringMatching(/^[a-zA-Z0-9_-]{1,31}$/).filter((name) => serverNameProblem(name) === undefined);

describe('names of upstream tools', () => {
  test('B5: every name fits every client, and is the same each time', () => {
    fc.assert(
      fc.property(servers, fc.string({ minLength: 1, maxLength: 200, unit: 'grapheme' }), (server, tool) => {
        const name = wholeName(server, tool);
        expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
        expect(wholeName(server, tool)).toBe(name);
      }),
    );
  });

  test('B5: a name has one reading: its server is what stands before the first "__"', () => {
    fc.assert(
      fc.property(servers, fc.stringMatching(/^[a-zA-Z0-9_-]{1,31}$/), (server, tool) => {
        const name = wholeName(server, tool);
        expect(name.slice(0, name.indexOf('__'))).toBe(server);
      }),
    );
  });

  test.each(['', 'a__b', 'a_', '_a', 'a.b', 'a/b', '../x', 'ü', 'a'.repeat(32), 'a b'])(
    'B5: no server may be called %j',
    (name) => {
      expect(serverNameProblem(name)).toBeDefined();
    },
  );
});
