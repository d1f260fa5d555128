import { expect, test } from 'vitest';

import type { BuildUpdate } from '../../../src/adapters/docker/build.ts';
import { readStatus } from '../../../src/adapters/docker/buildkit.ts';
import { readOutput } from '../../../src/adapters/docker/output.ts';

const ID = `sha256:${'ab'.repeat(32)}`;

/** A protobuf field of bytes, or of a number. */
function field(number: number, value: string | Buffer | true): Buffer {
  if (value === true) return Buffer.from([number << 3, 1]);
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

const vertex = (name: string, more: Buffer[] = []) =>
  field(1, Buffer.concat([field(1, 'sha256:x'), field(3, name), ...more]));
const log = (text: string) => field(3, Buffer.concat([field(1, 'sha256:x'), field(4, text)]));
const trace = (...parts: Buffer[]) => ({ id: 'moby.buildkit.trace', aux: Buffer.concat(parts).toString('base64') });
const started = field(5, '');

function follow(events: Parameters<ReturnType<typeof readOutput>['take']>[0][]) {
  const updates: BuildUpdate[] = [];
  const output = readOutput((update) => updates.push(update));
  for (const event of events) output.take(event);
  return { updates, end: () => output.end() };
}

test('D1 BuildKit: steps of all stages, the cache, the image', () => {
  const { updates, end } = follow([
    trace(vertex('[internal] load build definition', [started])),
    trace(vertex('[build 1/2] FROM base', [started, field(4, true)]), vertex('[stage-1 1/3] COPY . /', [])),
    trace(vertex('[build 2/2] RUN make', [started]), log('compiling\n')),
    { id: 'moby.image.id', aux: { ID } },
  ]);
  expect(updates.map(({ message, done, total }) => [message, done, total])).toEqual([
    ['[build 1/2] FROM base', 1, 2],
    ['[build 2/2] RUN make', 2, 2],
  ]);
  expect(end()).toEqual({ id: ID, steps: 2, cached: 1 });
});

test('D1 the classic builder', () => {
  const { updates, end } = follow([
    { stream: 'Step 1/2 : FROM base' },
    { stream: '\n' },
    { stream: ' ---> 0123\n' },
    { stream: 'Step 2/2 : RUN make' },
    { stream: ' ---> Using cache\n' },
    { aux: { ID } },
  ]);
  expect(updates.at(-1)).toEqual({ message: 'Step 2/2 : RUN make', done: 2, total: 2 });
  expect(end()).toEqual({ id: ID, steps: 2, cached: 1 });
});

test('D1 a failure says where and why, with the last lines; what the build printed is data', () => {
  const noise = Array.from({ length: 100 }, (_, index) => log(`line ${index}\n`));
  const { end } = follow([
    trace(vertex('[2/2] RUN make', [started])),
    trace(...noise, log('\u001B[31mcause\u202E\u0007\n')),
    { error: 'exit code: 7', errorDetail: { message: 'make: exit code: 7' } },
  ]);
  expect(end).toThrow(expect.objectContaining({ code: 'upstream' }));
  try {
    end();
  } catch (error) {
    const { message } = error as Error;
    expect(message).toContain('at "[2/2] RUN make": "make: exit code: 7"');
    expect(message).toContain('\n  | cause');
    expect(message).toContain('line 99');
    expect(message).not.toContain('line 50\n');
    for (const character of ['\u001B', '\u202E', '\u0007']) expect(message).not.toContain(character);
  }
});

test('a build that ends without an image is a failure, whatever was built before under the tag', () => {
  expect(follow([{ stream: 'Step 1/1 : FROM base' }]).end).toThrow(expect.objectContaining({ code: 'upstream' }));
});

test('a broken trace is an error, not a loop', () => {
  expect(() => readStatus(Buffer.from([0x0a, 0x7f, 1]).toString('base64'))).toThrow(RangeError);
  expect(readStatus('')).toEqual({ vertexes: [], logs: [] });
});
