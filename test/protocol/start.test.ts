import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { newPlace, overStdio, ROOT, type Place } from '../harness.ts';

const START = [join(ROOT, 'src/main.ts'), 'serve', '--auto'];

let place: Place;
beforeEach(() => {
  place = newPlace();
});
afterEach(() => place.remove());

describe('start', () => {
  test('a client that starts it speaks MCP with it over its pipes, on a copy of the sample (A2)', async () => {
    const agent = await overStdio('2.x', place, START);
    const { envelope } = await agent.call('save-file', { path: 'docker/new.conf', content: 'x' });
    await agent.close();
    expect(envelope.status).toBe('done');
    expect(existsSync(join(ROOT, 'fixtures/workspace/docker/new.conf'))).toBe(false);
    const state = join(place.env['HOME'] ?? '', '.local/state/holdpoint');
    expect(existsSync(join(state, 'sample-workspace/docker/new.conf'))).toBe(true);
  });

  test('in a terminal or without input it serves HTTP and prints address, token, snippet and the approve command (A2)', async () => {
    const input = openSync('/dev/null', 'r');
    const child = spawn(process.execPath, START, { env: place.env, cwd: ROOT, stdio: [input, 'pipe', 'ignore'] });
    closeSync(input);
    let output = '';
    await new Promise<void>((done, fail) => {
      child.once('exit', (code) => fail(new Error(`it ended with ${code}`)));
      child.stdout?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes('approvals approve')) done();
      });
    });
    child.kill('SIGTERM');
    const snippet = JSON.parse(/^\{\n[\s\S]*?^\}$/m.exec(output)?.[0] ?? '') as {
      mcpServers: { holdpoint: { url: string; headers: { Authorization: string } } };
    };
    const token = /Token: (\S+)/.exec(output)?.[1];
    expect(snippet.mcpServers.holdpoint.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/);
    expect(snippet.mcpServers.holdpoint.headers.Authorization).toBe(`Bearer ${token}`);
    expect(output).toMatch(/approvals approve ID --as NAME/);
  });
});
