import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { createLines } from '../../src/transports/lines.ts';
import { readMessage } from '../../src/transports/message.ts';
import { scan } from '../../src/transports/scan.ts';

/** A key in one of its spellings. */
const spelled = (key: string, escaped: boolean) =>
  escaped
    ? `"${[...Array(key.length).keys()].map((at) => `\\u${key.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
    : JSON.stringify(key);

const key = fc.string({ maxLength: 8 }).filter((each) => each !== '__proto__');
const value = fc.jsonValue({ maxDepth: 6 }).map((each) => JSON.stringify(each));
const space = fc.constantFrom('', ' ', '\n\t', '\r\n ');

describe('messages that two readers could take differently (A3)', () => {
  test('what JSON.stringify writes has nothing to find', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 10 }), (each) => {
        const text = JSON.stringify(each);
        expect(scan(text)).toEqual(text.includes('"__proto__":') ? expect.anything() : undefined);
      }),
    );
  });

  test('a key twice in one object is found, however deep and however it is spelled', () => {
    const around = fc.array(fc.constantFrom('[', '{"a":', '[1,', '{"b":{},"c":'), { maxLength: 12 });
    fc.assert(
      fc.property(key, value, value, space, fc.boolean(), fc.boolean(), around, (name, a, b, gap, one, two, outer) => {
        const first = `${spelled(name, one)}${gap}:${a}`;
        const ends = outer.map((each) => (each.startsWith('[') ? ']' : '}')).toReversed();
        const wrap = (inner: string) => `${outer.join('')}${inner}${ends.join('')}`;
        const planted = wrap(`{${first}${gap},${gap}${spelled(name, two)}${gap}:${gap}${b}}`);
        expect(JSON.parse(planted)).toBeDefined();
        expect(scan(planted)?.key).toBe(name);
        const apart = wrap(`{${first},${spelled(`${name}.`, two)}:${b}}`);
        if (!apart.includes('__proto__')) expect(scan(apart)).toBeUndefined();
      }),
    );
  });

  test('bytes of any kind are a message, nothing, or a refusal with an id that can be given back', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((each) => Buffer.from(each)),
      fc.jsonValue().map((id) => Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' }))),
      fc.json().map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(bytes, (each) => {
        const read = readMessage(each);
        const id =
          'message' in read ? (read.message as { id?: unknown }).id : 'refusal' in read ? read.refusal.id : null;
        if (id !== null && id !== undefined) expect(JSON.parse(JSON.stringify(id))).toBe(id);
        if ('message' in read) expect(read.message).toMatchObject({ jsonrpc: '2.0' });
      }),
    );
  });

  test('lines are the same however their bytes are cut; one beyond the limit is said once and skipped', () => {
    const line = fc.string({ maxLength: 30 }).map((text) => text.replaceAll('\n', ' '));
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.integer({ min: 1, max: 40 })), (wanted, cuts) => {
        const got: string[] = [];
        let tooLong = 0;
        const lines = createLines(
          20,
          (each) => got.push(each.toString()),
          () => tooLong++,
        );
        let rest = Buffer.from(wanted.map((each) => `${each}\n`).join(''));
        for (const cut of cuts) {
          lines.take(rest.subarray(0, cut));
          rest = rest.subarray(cut);
        }
        lines.take(rest);
        const fits = wanted.filter((each) => Buffer.byteLength(each) <= 20);
        expect(got).toEqual(fits);
        expect(tooLong).toBe(wanted.length - fits.length);
      }),
    );
  });
});
