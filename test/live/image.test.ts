import { execFile } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { overHttp, ROOT } from '../harness.ts';
import { liveServers, nodeImage } from './servers.ts';

const { dockerHost } = liveServers();
const IMAGE = 'holdpoint:test';
const NAME = 'holdpoint-image-test';
const TOKEN = 'token-of-the-image-test';
/** Where a machine keeps the authorities that it trusts besides the public ones, and its registries' settings. */
const SECRETS = { ca: process.env['NODE_EXTRA_CA_CERTS'] ?? '', npmrc: join(homedir(), '.npmrc') };

async function docker(...args: string[]): Promise<string> {
  const client = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';
  const env = { ...process.env, DOCKER_HOST: dockerHost, DOCKER_BUILDKIT: '1' };
  const { stdout } = await promisify(execFile)(client, args, { env, cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

const inspected = async <T>(what: string, format: string) =>
  JSON.parse(await docker('inspect', '-f', `{{json ${format}}}`, what)) as T;

describe.skipIf(dockerHost === undefined)('the container image, built and run on a real Engine', () => {
  let url: string;
  const workspace = mkdtempSync(join(tmpdir(), 'holdpoint-image-'));

  beforeAll(async () => {
    cpSync(join(ROOT, 'fixtures/workspace'), workspace, { recursive: true });
    for (const path of ['', ...readdirSync(workspace, { recursive: true, encoding: 'utf8' })])
      chownSync(join(workspace, path), 65532, 65532);
    await nodeImage('holdpoint-test/node:24');
    const secrets = Object.entries(SECRETS).flatMap(([id, file]) =>
      existsSync(file) ? ['--secret', `id=${id},src=${file}`] : [],
    );
    await docker(
      'build',
      '-q',
      '--network=host',
      '--build-arg',
      'NODE_IMAGE=holdpoint-test/node:24',
      ...secrets,
      '-t',
      IMAGE,
      '.',
    );
    await docker('rm', '-f', NAME);
    const limits = ['--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
    const given = ['-v', `${workspace}:/workspace`, '-e', `HOLDPOINT_TOKEN=${TOKEN}`, '-p', '127.0.0.1:0:7117'];
    await docker('run', '-d', '--name', NAME, ...limits, ...given, IMAGE);
    const ports = await inspected<Record<string, { HostPort: string }[]>>(NAME, '.NetworkSettings.Ports');
    url = `http://127.0.0.1:${ports['7117/tcp']?.[0]?.HostPort}/mcp`;
  });

  afterAll(async () => {
    await docker('rm', '-f', '-v', NAME);
    rmSync(workspace, { recursive: true });
  });

  test('it becomes healthy by its own health check', async () => {
    let health = '';
    for (let tries = 0; tries < 90 && health !== 'healthy'; tries++) {
      health = await inspected<string>(NAME, '.State.Health.Status');
      if (health !== 'healthy') await sleep(1000);
    }
    expect(health, await docker('logs', NAME)).toBe('healthy');
  });

  test('a client lists, writes and is held in it, on a read-only file system', async () => {
    const agent = await overHttp('2.x', url, TOKEN);
    expect((await agent.list()).length).toBeGreaterThan(10);
    const written = await agent.call('save-file', { path: 'docker/a.conf', content: 'a' });
    expect(written.envelope.status, written.text).toBe('done');
    expect((await agent.call('remove-files', { paths: ['docker/a.conf'] })).envelope.status).toBe('approval_required');
    await agent.close();
  });

  test('neither root nor able to write where it should not', async () => {
    expect(await inspected<string>(IMAGE, '.Config.User')).toBe('65532:65532');
    const script = `const fs = require('fs'); const can = (f) => { try { fs.writeFileSync(f, ''); return true } catch { return false } };
      console.log(JSON.stringify([process.getuid(), can('/app/x'), can('/x'), can('/var/lib/holdpoint/x'), fs.statSync('/var/lib/holdpoint').mode & 0o777]))`;
    expect(JSON.parse(await docker('exec', NAME, 'node', '-e', script))).toEqual([65532, false, false, true, 0o700]);
  });

  test('without a token it does not start: others could reach it', async () => {
    await expect(docker('run', '--rm', '--network', 'none', IMAGE)).rejects.toThrow(/HOLDPOINT_TOKEN/);
  });

  test('it holds the bundle alone, no sources, packages or build secrets', async () => {
    const listed = await docker(
      'run',
      '--rm',
      '--network',
      'none',
      '--entrypoint',
      'node',
      IMAGE,
      '-e',
      "console.log(require('fs').readdirSync('/app').sort().join())",
    );
    expect(listed).toBe('README.md,dist,fixtures,package.json,personas,policies,skills');
    const history = await docker('history', '--no-trunc', '--format', '{{.CreatedBy}}', IMAGE);
    expect(history).not.toMatch(/pnpm|npmrc/);
  });
});
