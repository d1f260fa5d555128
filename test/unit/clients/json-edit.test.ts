import fc from 'fast-check';
import { parse, type ParseError } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';

import { insertAt, setAt } from '../../../src/clients/json-edit.ts';
import { readJson } from '../../../src/clients/json-text.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';

const set = (text: string, path: readonly string[], value: Json) => setAt(readJson(text, 'f'), path, value).text;
const insert = (text: string, where: 'start' | 'end', value: Json) =>
  insertAt(readJson(text, 'f'), ['l'], where, value).text;

describe('setAt', () => {
  test.each([
    ['{}', '{\n  "a": {\n    "b": 1\n  }\n}'],
    ['{ "x": 1 }', '{ "x": 1,\n  "a": {\n    "b": 1\n  }\n}'],
    ['{\n    "x": 1 // one\n}\n', '{\n    "x": 1, // one\n    "a": {\n        "b": 1\n    }\n}\n'],
    ['{\n\t"x": 1, // one\n}\n', '{\n\t"x": 1, // one\n\t"a": {\n\t\t"b": 1\n\t},\n}\n'],
    ['{\n  // nothing yet\n}\n', '{\n  "a": {\n    "b": 1\n  }\n  // nothing yet\n}\n'],
    ['{ "a": {} }', '{ "a": {\n  "b": 1\n} }'],
    ['{\n  "a": { "b": [2] } // two\n}', '{\n  "a": { "b": 1 } // two\n}'],
    ['{\n  "x": 1 /* long\n  comment */\n}', '{\n  "x": 1, /* long\n  comment */\n  "a": {\n    "b": 1\n  }\n}'],
  ])('%j becomes %j', (before, after) => {
    expect(set(before, ['a', 'b'], 1)).toBe(after);
  });
});

describe('insertAt', () => {
  test.each([
    ['{ "l": ["a"] }', 'end', '{ "l": ["a", "n"] }'],
    ['{ "l": [] }', 'end', '{ "l": [\n  "n"\n] }'],
    ['{ "l": ["a"] }', 'start', '{ "l": [\n  "n",\n  "a"] }'],
    ['{\n  "l": [\n    "a" // a\n  ]\n}', 'end', '{\n  "l": [\n    "a", // a\n    "n"\n  ]\n}'],
    ['{\n  "l": [ // first\n    "a"\n  ]\n}', 'start', '{\n  "l": [\n    "n", // first\n    "a"\n  ]\n}'],
    ['{\n  "x": 1\n}', 'end', '{\n  "x": 1,\n  "l": [\n    "n"\n  ]\n}'],
  ] as const)('%j, at the %s', (before, where, after) => {
    expect(insert(before, where, 'n')).toBe(after);
  });
});

const value = fc.letrec<{ any: Json; object: JsonObject }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(null, true, 0, -1.5, 'text', '// none', '"quoted", }'),
    fc.array(tie('any'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'l', 'x y', '//'), tie('any'), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
}));

/** A JSON text as a person might lay it out: comments, blank lines and trailing commas where they may stand. */
const laidOut = fc
  .tuple(value.object, fc.constantFrom('', ' ', '  ', '\t'), fc.infiniteStream(fc.nat(9)))
  .map(([object, unit, stream]) => {
    const dice = () => stream.next().value as number;
    return JSON.stringify(object, null, unit).replace(
      /("(?:[^"\\]|\\.)*")|([,{[])|([\]}])/g,
      (all, text, open, close) => {
        if (text !== undefined) return all;
        const roll = dice();
        if (open !== undefined) return roll < 2 ? `${all} // note\n` : roll < 4 ? `${all} /* "b": 1, */ ` : all;
        return close !== undefined && roll < 3 ? `\n/* end */ ${all}` : all;
      },
    );
  });

test('whatever the layout: the value is there, all else is as it was, and every other line too (A2)', () => {
  fc.assert(
    fc.property(
      laidOut,
      fc.constantFrom<string[]>(['a'], ['n'], ['n', 'm'], ['b', 'n']),
      value.any,
      (text, path, wanted) => {
        const before = plain(text) as JsonObject;
        const [key = '', inner] = path;
        const holder = before[key];
        fc.pre(
          inner === undefined ||
            holder === undefined ||
            (typeof holder === 'object' && holder !== null && !Array.isArray(holder)),
        );
        const after = set(text, path, wanted);
        const expected = inner === undefined ? wanted : { ...(holder as JsonObject | undefined), [inner]: wanted };
        expect(plain(after)).toEqual({ ...before, [key]: expected });
        expect(comments(after)).toEqual(
          before[key] === undefined || inner !== undefined ? comments(text) : expect.anything(),
        );
        expect(set(after, path, wanted)).toBe(after);
      },
    ),
    { numRuns: 500 },
  );
});

function plain(text: string): unknown {
  const errors: ParseError[] = [];
  const read: unknown = parse(text, errors, { allowTrailingComma: true });
  expect(errors, text).toEqual([]);
  return JSON.parse(JSON.stringify(read));
}

function comments(text: string): string[] {
  return text.match(/\/\/ note|\/\* "b": 1, \*\/|\/\* end \*\//g) ?? [];
}
