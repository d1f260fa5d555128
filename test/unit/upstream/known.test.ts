import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { hashOf, type Definition } from '../../../src/adapters/upstream/definition.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { readUpstreams, waitingFor } from '../../../src/server/upstreams.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'holdpoint-known-'));
  for (const folder of ['workspace', 'persona', 'keys/upstreams']) mkdirSync(join(root, folder), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true }));

const write = (name: string, servers: object) =>
  writeFileSync(join(root, name), JSON.stringify({ mcpServers: servers }));
const read = (upstreams: string[], folder = 'persona', file?: string) =>
  readUpstreams(
    loadConfig(
      {
        workspace: join(root, 'workspace'),
        state: join(root, 'state'),
        keys: join(root, 'keys'),
        ...(file && { mcpConfig: join(root, file) }),
      },
      { HOME: root },
    ),
    { upstreams, folder: join(root, folder) },
  );

describe('the servers that a persona may use', () => {
  test('B5: a persona’s folder may name servers; the operator’s entry of the same name counts', () => {
    write('persona/mcp.json', { mine: { command: 'own' }, both: { command: 'persona' } });
    write('operator.json', { both: { command: 'operator' }, other: { command: 'x' } });
    const { known, missing } = read(['mine', 'both', 'absent'], 'persona', 'operator.json');
    expect(known.map(({ server, allowed }) => [server.key, server.says, allowed])).toEqual([
      ['both', '«operator»', true],
      ['other', '«x»', false],
      ['mine', '«own»', true],
    ]);
    expect(missing).toEqual(['absent']);
    expect(waitingFor({ known }).map((line) => line.split(':')[0])).toEqual(['both', 'mine']);
  });

  test('B5: no file that the agent could write is read, behind links neither', () => {
    mkdirSync(join(root, 'workspace/persona'));
    write('workspace/persona/mcp.json', { mine: { command: 'x' } });
    expect(() => read(['mine'], 'workspace/persona')).toThrow('lies in the workspace');
    symlinkSync(join(root, 'workspace/persona/mcp.json'), join(root, 'persona/mcp.json'));
    expect(() => read(['mine'])).toThrow('lies in the workspace');
    // One that would use none is not kept from starting by it.
    expect(read([]).known).toEqual([]);
  });

  test.each([
    ['no JSON', () => '{'],
    ['another server’s', (said: Definition, print: string) => acceptedText('other', said, print, hashOf(said))],
    [
      'changed afterwards',
      (said: Definition, print: string) => acceptedText('mine', { ...said, description: 'x' }, print, hashOf(said)),
    ],
  ])('B5: an accepted file that is %s offers nothing, and says so', (_what, text) => {
    write('operator.json', { mine: { command: 'x' } });
    const { fingerprint = '' } = read(['mine'], 'persona', 'operator.json').known[0]?.server ?? {};
    const said = { name: 'a', description: 'Does a.', inputSchema: { type: 'object' } };
    const file = join(root, 'keys/upstreams/mine.json');
    writeFileSync(file, acceptedText('mine', said, fingerprint, hashOf(said)));
    expect(read(['mine'], 'persona', 'operator.json').known[0]?.tools.map(({ name }) => name)).toEqual(['mine__a']);
    writeFileSync(file, text(said, fingerprint));
    const [known] = read(['mine'], 'persona', 'operator.json').known;
    expect(known?.tools).toEqual([]);
    expect(known?.damaged).toContain('is damaged');
  });
});

function acceptedText(server: string, said: Definition, fingerprint: string, hash: string): string {
  const tools = [{ hash, definition: said }];
  return JSON.stringify({
    version: 1,
    server,
    fingerprint,
    acceptedAt: '2026-01-01',
    acceptedBy: 'ann',
    effects: {},
    tools,
  });
}
