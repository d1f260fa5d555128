import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';

import { consoleUrl, namedAddress, placeOf } from '../../../src/console/address.ts';

const from = (origin: string | undefined, host: string) => ({ headers: { origin, host } }) as IncomingMessage;

test.each([
  ['http://localhost:7117', 'localhost:7117', undefined, { rpId: 'localhost', secure: false }],
  ['https://hold.example', 'hold.example', undefined, { rpId: 'hold.example', secure: true }],
  ['https://hold.example:8443', 'HOLD.example:8443', undefined, { rpId: 'hold.example', secure: true }],
  // A proxy that names itself.
  ['https://hold.example', '127.0.0.1:7117', 'https://hold.example', { rpId: 'hold.example', secure: true }],
])('I6 %s at %s is the console’s own page', (origin, host, publicUrl, place) => {
  expect(placeOf(from(origin, host), publicUrl)).toEqual({ origin, ...place });
});

test.each([
  [undefined, 'localhost:7117', undefined],
  ['null', 'localhost:7117', undefined],
  ['http://localhost:3000', 'localhost:7117', undefined],
  ['http://localhost:7117/x', 'localhost:7117', undefined],
  ['https://evil.example', 'hold.example', 'https://hold.example'],
  ['http://hold.example', 'hold.example', 'https://hold.example'],
  ['http://127.0.0.1:7117', '127.0.0.1:7117', undefined],
  ['https://192.0.2.1', '192.0.2.1', undefined],
])('I6 %s at %s may change nothing', (origin, host, publicUrl) => {
  expect(() => placeOf(from(origin, host), publicUrl)).toThrow(expect.objectContaining({ code: 'denied' }));
});

test('I5 the console has an address where people can use it, and none otherwise', () => {
  expect(consoleUrl('http://127.0.0.1:7117', undefined)).toBe('http://localhost:7117/console');
  expect(consoleUrl('http://[::1]:7117', undefined)).toBe('http://localhost:7117/console');
  expect(consoleUrl('http://0.0.0.0:7117', undefined)).toBeUndefined();
  expect(consoleUrl('http://0.0.0.0:7117', 'https://hold.example')).toBe('https://hold.example/console');
  expect(namedAddress(from(undefined, '[::1]:7117'))).toBe('http://localhost:7117');
  expect(namedAddress(from(undefined, '192.0.2.1:7117'))).toBeUndefined();
  expect(namedAddress(from(undefined, 'localhost:7117'))).toBeUndefined();
});
