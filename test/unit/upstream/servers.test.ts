import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

import { readServers } from '../../../src/adapters/upstream/servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdpoint-servers-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'mcp.json');
const read = (entry: unknown, environment = {}) => {
  writeFileSync(file, JSON.stringify({ mcpServers: { it: entry } }));
  return readServers(file, environment)[0];
};

describe('the file of upstream servers', () => {
  test('B5: variables are filled in from the environment, with what stands for those that are not set', () => {
    const found = read(
      { command: '${BIN}/server', args: ['--to', '${PLACE:-here}'], env: { A_TOKEN: '${TOKEN}' } },
      { BIN: '/opt', TOKEN: 'secret-value' },
    );
    expect(found?.launch).toEqual({
      kind: 'stdio',
      command: '/opt/server',
      args: ['--to', 'here'],
      env: { A_TOKEN: 'secret-value' },
    });
    expect(found?.secrets).toEqual(['secret-value']);
    // What people are shown has the variables as written.
    expect(found?.says).toBe('«${BIN}/server --to ${PLACE:-here}»');
  });

  test('B5: values of headers are secrets, with and without their scheme', () => {
    const found = read({
      url: 'https://mcp.example/x',
      headers: { Authorization: 'Bearer abc-def', Accept: 'text/x' },
    });
    expect(found?.secrets).toEqual(['Bearer abc-def', 'abc-def']);
  });

  test('B5: the fingerprint is of what is started, not of the values of variables', () => {
    const entry = { command: 'x', env: { TOKEN: '${TOKEN}' } };
    expect(read(entry, { TOKEN: 'a' })?.fingerprint).toBe(read(entry, { TOKEN: 'b' })?.fingerprint);
    expect(read(entry)?.fingerprint).not.toBe(read({ ...entry, args: ['y'] })?.fingerprint);
  });

  test.each([
    [{ command: 'x', args: ['${ABSENT}'] }, 'ABSENT is not set'],
    [{ type: 'sse', url: 'https://x.example' }, 'sse'],
    [{ command: 'x', url: 'https://x.example' }, 'both'],
    [{ url: 'http://x.example/mcp' }, 'use https'],
    [{ url: 'https://me:pass@x.example/mcp' }, 'use headers'],
    [{ url: 'file:///etc/passwd' }, 'neither https nor http'],
    [{ type: 'http', command: 'x' }, 'no url'],
    [{}, 'neither a command nor a url'],
    [{ command: ['x'] }, 'command'],
    ['x', 'the entry'],
  ])('B5: %j cannot be used: %s', (entry, why) => {
    const found = read(entry);
    expect(found?.problem).toContain(why);
  });

  test('B5: what is no such file stops with what to write', () => {
    writeFileSync(file, '{');
    expect(() => readServers(file, {})).toThrow('is no JSON');
    writeFileSync(file, '{}');
    expect(() => readServers(file, {})).toThrow('has no "mcpServers"');
    expect(() => readServers(join(folder, 'absent.json'), {})).toThrow('cannot be read');
  });
});
