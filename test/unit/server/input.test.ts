import { describe, expect, test } from 'vitest';
import { z } from 'zod';

import type { HoldpointError } from '../../../src/core/errors.ts';
import { defineTool, type AnyTool } from '../../../src/core/tool.ts';
import { forAudit, parseInput, schemaHash } from '../../../src/server/input.ts';
import { advertisedSchema } from '../../../src/server/schema.ts';

const tool: AnyTool = defineTool({
  name: 'sample',
  title: 'Sample',
  description: 'A sample.',
  effect: 'write',
  needs: [],
  input: z.strictObject({ path: z.string(), lines: z.int().optional() }),
  output: z.strictObject({}),
  targets: () => [],
  plan: () => Promise.reject(new Error('not planned here')),
  run: () => Promise.reject(new Error('not run here')),
});

const refusal = (raw: unknown): HoldpointError => {
  try {
    parseInput(tool, raw);
  } catch (error) {
    return error as HoldpointError;
  }
  throw new Error('it was accepted');
};

describe('arguments', () => {
  test('right ones are taken, with dryRun apart (A7)', () => {
    expect(parseInput(tool, { path: 'a', dryRun: true })).toEqual({ input: { path: 'a' }, dryRun: true });
    expect(parseInput({ ...tool, effect: 'read' }, { path: 'a' })).toEqual({ input: { path: 'a' }, dryRun: false });
  });

  test('an unknown one is named with the nearest known one', () => {
    const error = refusal({ paht: 'a', path: 'b' });
    expect(error.code).toBe('invalid_input');
    expect(error.message).toContain('"paht" is no argument of sample; did you mean "path"?');
    expect(error.hint).toBe('sample takes: path, lines, dryRun.');
  });

  test('a wrong type is named with what it should be', () => {
    expect(refusal({ path: 3 }).message).toMatch(/"path": .*expected string/);
    expect(refusal({ path: 'a', lines: 1.5 }).message).toMatch(/"lines": /);
    expect(refusal('text').code).toBe('invalid_input');
  });

  test.each([
    ['10 MB of text', { path: 'x'.repeat(10_000_000) }, /larger than 2 MiB/],
    ['1,000 levels', JSON.parse('{"path":'.repeat(1000) + '1' + '}'.repeat(1000)), /nested more than 32/],
    ['__proto__', JSON.parse('{"path":"a","__proto__":{"x":1}}'), /"__proto__" is not allowed/],
    ['constructor', { path: 'a', constructor: 1 }, /"constructor" is not allowed/],
  ])('%s is refused before the schema', (_name, raw, message) => {
    expect(refusal(raw).message).toMatch(message);
  });

  test('the audit log keeps a long text as its hash', () => {
    expect(forAudit({ content: 'y'.repeat(5000), path: 'a' })).toEqual({
      path: 'a',
      content: { bytes: 5000, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    });
  });

  test('the schema hash moves with the schema', () => {
    expect(schemaHash(tool)).toBe(schemaHash({ ...tool }));
    expect(schemaHash({ ...tool, input: z.strictObject({ path: z.string() }) })).not.toBe(schemaHash(tool));
  });

  test('advertised schemas have no $schema and no bounds that mean nothing', () => {
    expect(advertisedSchema(z.strictObject({ n: z.int() }))).toEqual({
      type: 'object',
      properties: { n: { type: 'integer' } },
      required: ['n'],
      additionalProperties: false,
    });
  });
});
