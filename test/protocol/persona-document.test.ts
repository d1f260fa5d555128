import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { holdpoint, newPlace, overStdio, ROOT, serverArgs, type Agent, type Place } from '../harness.ts';

const SERVER = join(ROOT, 'test/protocol/fake-server.ts');
const DOCUMENTS = join(ROOT, 'test/seeds/documents');
const S1 = join(DOCUMENTS, 's1-tta-chat-mode-scoped.md');
const S3 = join(DOCUMENTS, 's3-battra-persona.md');
const KEY = 'battra-devops-key-1';

let place: Place;
let agent: Agent | undefined;

beforeEach(() => {
  place = newPlace();
});
afterEach(async () => {
  await agent?.close();
  agent = undefined;
  place.remove();
});

async function serve(persona: string): Promise<Agent> {
  agent = await overStdio('2.x', place, serverArgs(place, ['--stdio', '--persona', persona], SERVER));
  return agent;
}

const folders = () => readdirSync(join(place.state, 'personas'));

describe('serve --persona with a document (B1)', () => {
  test('it is imported once for its bytes, and anew once they change', async () => {
    const document = join(place.state, '..', 'role.md');
    cpSync(S1, document);
    const denied = async (path: string) => {
      const { envelope } = await (await serve(document)).call('view', { path });
      await agent?.close();
      return envelope.status === 'denied';
    };
    expect(await denied('package.json')).toBe(false);
    const [first = ''] = folders();
    const made = statSync(join(place.state, 'personas', first, 'policy.yaml'));
    expect(await denied('package.json')).toBe(false);
    expect(folders()).toEqual([first]);
    expect(statSync(join(place.state, 'personas', first, 'policy.yaml')).mtimeMs).toBe(made.mtimeMs);
    writeFileSync(document, readFileSync(S1, 'utf8').replace('  - package.json\n', ''));
    expect(await denied('package.json')).toBe(true);
    expect(folders()).toHaveLength(2);
  });

  test('the document is not the agent’s to change, nor what was made of it', async () => {
    mkdirSync(join(place.workspace, 'docker/roles'));
    const document = join(place.workspace, 'docker/roles/role.md');
    cpSync(S1, document);
    const { call } = await serve(document);
    const widened = await call('str-replace-editor', {
      path: 'docker/roles/role.md',
      oldText: '  - secrets/',
      newText: '  - docs/',
    });
    expect(widened.envelope.status).toBe('denied');
    expect((await call('save-file', { path: 'docker/roles/role.md', content: 'x' })).envelope.status).toBe('denied');
    expect((await call('remove-files', { paths: ['docker/roles/role.md'] })).envelope.status).not.toBe('done');
    expect((await call('save-file', { path: 'docker/roles/other.md', content: 'x' })).envelope.status).toBe('done');
    expect(readFileSync(document)).toEqual(readFileSync(S1));
  });

  test('an approver is asked for what its checklist says', async () => {
    const { call } = await serve(S1);
    const input = { action: 'restart', kind: 'deployment', name: 'tta-api', namespace: 'tta-prod' };
    const { envelope } = await call('kubectl-rollout', input);
    const shown = await holdpoint(place, 'approvals', 'show', envelope.approval?.id ?? '');
    expect(shown.stdout).toContain('Security implications assessed [document/security-implications-assessed]');
  });

  test('the key in it is masked in every result and in the audit log, and in nothing that was made', async () => {
    writeFileSync(
      join(place.workspace, 'docker/notes.txt'),
      `it says ${KEY} here\nand ${Buffer.from(KEY).toString('base64')}\n`,
    );
    const { call, instructions } = await serve(S3);
    const seen = await call('view', { path: 'docker/notes.txt' });
    expect(seen.envelope.status).toBe('done');
    expect(seen.text).toContain('it says [redacted] here');
    const wrong = await call(`no-${KEY}`, { path: KEY });
    const saved = await call('save-file', { path: `docker/${KEY}.txt`, content: KEY });
    const all = [seen, wrong, saved].map((answer) => JSON.stringify(answer)).join('\n') + (instructions() ?? '');
    expect(all).not.toContain(KEY);
    expect(all).not.toContain(Buffer.from(KEY).toString('base64'));
    await agent?.close();
    const { stdout } = await holdpoint(place, 'audit', 'export');
    expect(stdout).toContain('[redacted]');
    expect(stdout).not.toContain(KEY);
    for (const folder of folders())
      for (const file of readdirSync(join(place.state, 'personas', folder)))
        expect(readFileSync(join(place.state, 'personas', folder, file), 'utf8')).not.toContain(KEY);
  });

  test('what is said on stderr: the summary, where the report lies, the log of calls, and no key', async () => {
    const env = { ...place.env, HOLDPOINT_LOG: 'debug' };
    const child = spawn(process.execPath, serverArgs(place, ['--stdio', '--persona', S3]), { env, cwd: ROOT });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stdout.resume();
    await expect.poll(() => said, { timeout: 30_000 }).toContain('speaking MCP');
    const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    const clientInfo = { name: `client ${KEY}`, version: '1' };
    send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo } });
    send({ method: 'notifications/initialized' });
    send({ id: 2, method: 'tools/call', params: { name: 'view', arguments: { path: `docker/${KEY}` } } });
    child.stdin.write(`{ broken ${KEY}\n`);
    await expect.poll(() => said, { timeout: 30_000 }).toContain('"tool":"view"');
    child.stdin.end();
    await new Promise((done) => child.once('exit', done));
    expect(said).toMatch(
      /battra-devops from \S+s3-battra-persona\.md: \d+ points understood, \d+ ambiguous, \d+ without effect; \S+report\.md/,
    );
    expect(said).not.toContain(KEY);
    expect(readFileSync(/; (\S+report\.md)/.exec(said)?.[1] ?? '', 'utf8')).toContain('## Ambiguous');
  });

  test('a name that there is none of, and a document that cannot be read, stop the start with what to give', async () => {
    const unknown = await holdpoint(place, 'serve', '--stdio', '--persona', 'nobody', '--workspace', place.workspace);
    expect(unknown).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/no persona "nobody"[\s\S]*devops.*tta-devops-engineer.*persona document/),
    });
    const absent = await holdpoint(place, 'serve', '--stdio', '--persona', 'absent.md', '--workspace', place.workspace);
    expect(absent).toMatchObject({ code: 2, stderr: expect.stringContaining('absent.md: there is no such file') });
  });

  test('the policy commands take a document as a persona too', async () => {
    const explained = await holdpoint(
      place,
      'policy',
      'explain',
      'save-file',
      '{"path":"src/a.py","content":"x"}',
      '--persona',
      S1,
      '--json',
    );
    expect(JSON.parse(explained.stdout)).toMatchObject({ decision: { verdict: 'deny', handOff: 'backend-dev' } });
    expect(await holdpoint(place, 'policy', 'lint', '--persona', S1)).toMatchObject({ code: 0 });
  });
});

describe('persona import (B1)', () => {
  test('writes a folder that is served, prints the report, and is not written over unasked', async () => {
    const out = join(place.state, '..', 'made');
    const made = await holdpoint(place, 'persona', 'import', S1, '--out', out);
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/## Understood[\s\S]*line 49\)[\s\S]*## Ambiguous[\s\S]*## Without effect/),
    });
    expect(readdirSync(out, { recursive: true, encoding: 'utf8' }).sort()).toEqual([
      'checklists',
      'checklists/document.yaml',
      'instructions.md',
      'persona.yaml',
      'policy.yaml',
      'report.md',
    ]);
    expect(await holdpoint(place, 'persona', 'import', S1, '--out', out)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--force'),
    });
    const forced = await holdpoint(place, 'persona', 'import', S1, '--out', out, '--force', '--json');
    expect(JSON.parse(forced.stdout)).toMatchObject({
      name: 'tta-devops-engineer',
      folder: out,
      understood: expect.any(Array),
    });
    expect((await (await serve(out)).call('view', { path: '.env' })).envelope.status).toBe('denied');
  });

  test('a document that cannot be read, or is none, leaves nothing behind', async () => {
    const broken = join(place.state, '..', 'broken.md');
    const out = join(place.state, '..', 'made');
    writeFileSync(broken, '---\nname: [x\n---\n');
    expect(await holdpoint(place, 'persona', 'import', broken, '--out', out)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('broken.md:'),
    });
    expect(await holdpoint(place, 'persona', 'import', 'devops', '--out', out)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no persona document'),
    });
    expect(existsSync(out)).toBe(false);
    mkdirSync(join(out, 'x'), { recursive: true });
    writeFileSync(join(out, 'x/persona.yaml'), 'name: x\ntoolsets: []\n');
    expect(await holdpoint(place, 'persona', 'import', join(out, 'x'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('hypertool'),
    });
  });

  test('takes a folder of hypertool’s: its tools, the shipped policy of its name, and what means nothing here (B6)', async () => {
    const exported = join(place.state, '..', 'exported');
    const out = join(place.state, '..', 'made');
    expect(await holdpoint(place, 'persona', 'export', 'orchestra-devops', '--hypertool', exported)).toMatchObject({
      code: 0,
    });
    const file = join(exported, 'orchestra-devops/persona.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('toolIds:', 'toolIds:\n      - elsewhere.search'));
    const made = await holdpoint(place, 'persona', 'import', join(exported, 'orchestra-devops'), '--out', out);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining('there is no tool elsewhere.search here') });
    expect(readdirSync(out).sort()).toEqual(['instructions.md', 'persona.yaml', 'report.md']);
    expect(await holdpoint(place, 'persona', 'check', out)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('orchestra-devops: nothing is wrong'),
    });
    const { envelope } = await (await serve(out)).call('save-file', { path: 'src/main.py', content: 'x' });
    expect(envelope).toMatchObject({ status: 'denied', error: { handOff: 'python-specialist' } });
  });
});
