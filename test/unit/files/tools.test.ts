import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { newFilesBench } from './bench.ts';

describe('view (C1, A7)', () => {
  test('lines of a file, all or a range', async () => {
    const { call, at } = await newFilesBench();
    const text = readFileSync(at('scripts/deploy/rollback.sh'), 'utf8').trimEnd();
    const whole = await call('view', { path: 'scripts/deploy/rollback.sh' });
    expect(whole.envelope).toEqual({
      status: 'done',
      result: { path: 'scripts/deploy/rollback.sh', lines: '1-7', total: 7, text },
    });
    expect(whole.text).toBe(`scripts/deploy/rollback.sh (lines 1-7 of 7)\n${text}`);
    const range = await call('view', { path: './scripts//deploy/rollback.sh', startLine: 2, endLine: 3 });
    expect(range.envelope.result).toMatchObject({ lines: '2-3', text: text.split('\n').slice(1, 3).join('\n') });
    expect((await call('view', { path: 'scripts/deploy/rollback.sh', startLine: 9 })).envelope.error).toMatchObject({
      code: 'invalid_input',
      reason: 'It has only 7 lines.',
    });
    expect(
      (await call('view', { path: 'scripts/deploy/rollback.sh', startLine: 3, endLine: 2 })).envelope.error?.code,
    ).toBe('invalid_input');
  });

  test('a private key shows no line of it, read from its middle or searched for (C3)', async () => {
    const { call, at } = await newFilesBench();
    const begin = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
    const lines = Array.from({ length: 12 }, (_, index) => `  planted${index}AbCdEf0123456789`);
    writeFileSync(
      at('kubernetes/tls.yaml'),
      ['kind: Secret', 'key: |', `  ${begin}`, ...lines, '  -----END PRIVATE KEY-----', 'last: line', ''].join('\n'),
    );
    for (const startLine of [1, 5, 9]) {
      const { envelope } = await call('view', { path: 'kubernetes/tls.yaml', startLine });
      expect(envelope.result?.['text']).toMatch(/last: line$/);
      expect(JSON.stringify(envelope)).not.toContain('planted');
    }
    for (const query of ['planted3AbCdEf', '/planted\\d/']) {
      const { envelope } = await call('codebase-retrieval', { query });
      expect(JSON.stringify(envelope.result)).not.toMatch(/planted\dA|tls\.yaml:\d+/);
    }
    expect((await call('codebase-retrieval', { query: 'last: line' })).text).toContain(
      'kubernetes/tls.yaml:17: last: line',
    );
  });

  test('a folder: one level, what policy denies left out and counted', async () => {
    const { call, at } = await newFilesBench();
    symlinkSync('docker/Dockerfile', at('Dockerfile'));
    const { envelope, text } = await call('view', { path: '.' });
    expect(envelope.result?.['entries']).toEqual([
      '.dockerignore 74', '.github/', 'Dockerfile 1072 -> docker/Dockerfile', 'docker/', 'docker-compose.yml 867', 'docs/', 'kubernetes/', 'package.json 132', 'packages/', 'pyproject.toml 220', 'scripts/', 'src/', 'tests/',
    ].map((entry) => expect.stringMatching(new RegExp(`^${entry.replace(/\d+/, String.raw`\d+`).replaceAll('.', String.raw`\.`)}$`)))); // prettier-ignore
    expect(envelope.result?.['note']).toMatch(/^\d+ not allowed by policy\.$/);
    expect(text).not.toMatch(/\.env|secrets|README/);
    expect((await call('view', { path: 'kubernetes' })).text).toMatch(/^kubernetes\/\nconfigmap\.yaml \d+\n/);
  });

  test('what is too much is cut, and says how to go on', async () => {
    const { call, at } = await newFilesBench();
    writeFileSync(
      at('docker/long.txt'),
      Array.from({ length: 3000 }, (_, index) => `line ${index + 1} "quoted"`).join('\n'),
    );
    let next = 1;
    for (let page = 0; page < 3; page++) {
      const { envelope } = await call('view', { path: 'docker/long.txt', startLine: next });
      const [, last] = /^\d+-(\d+)$/.exec(envelope.result?.['lines'] as string) ?? [];
      expect(envelope.result?.['text']).toMatch(new RegExp(`^line ${next} `));
      expect(envelope.result?.['note']).toBe(`Cut to fit: go on with startLine ${Number(last) + 1}.`);
      expect(Buffer.byteLength(JSON.stringify(envelope.result))).toBeLessThan(8192);
      next = Number(last) + 1;
    }
    writeFileSync(at('docker/wide.txt'), `${'\u0001'.repeat(100_000)}\nsecond`);
    expect((await call('view', { path: 'docker/wide.txt' })).envelope.result).toMatchObject({
      lines: '1-2',
      text: expect.stringContaining('99000 more characters'),
    });
    writeFileSync(at('docker/image.bin'), Buffer.from([1, 0, 2]));
    expect((await call('view', { path: 'docker/image.bin' })).envelope.result).toEqual({
      path: 'docker/image.bin',
      note: 'Binary file of 3 bytes, not shown.',
    });
    writeFileSync(at('docker/empty.txt'), '');
    expect((await call('view', { path: 'docker/empty.txt' })).envelope.result).toMatchObject({
      lines: '0-0',
      total: 0,
      text: '',
    });
    mkdirSync(at('docker/many'));
    for (let index = 0; index < 1500; index++) writeFileSync(at(`docker/many/entry-${index}`), '');
    const many = (await call('view', { path: 'docker/many' })).envelope;
    expect(many.result?.['note']).toMatch(/^\d+ entries not shown: use file-search\.$/);
    expect(many.next).toBeUndefined();
  });

  test('nobody learns whether a denied file is there', async () => {
    const { call } = await newFilesBench();
    const there = (await call('view', { path: '.env' })).envelope;
    const missing = (await call('view', { path: '.env.nowhere' })).envelope;
    // The records left for the other role have ids of their own.
    const id = /hnd_\S+/;
    expect({ ...there, next: there.next?.replace(id, '') }).toEqual({
      ...missing,
      next: missing.next?.replace(id, ''),
    });
    const [known, unknown] = [
      await call('view', { path: 'docs/DEPLOYMENT.md' }),
      await call('view', { path: 'docs/NOWHERE.md' }),
    ];
    expect(unknown.text.replaceAll('NOWHERE', 'DEPLOYMENT')).toBe(known.text);
    expect((await call('view', { path: 'LICENSE' })).envelope.status).toBe('denied');
    expect((await call('view', { path: 'docker/nowhere' })).envelope.error).toMatchObject({ code: 'not_found' });
  });
});

describe('secrets by any path and any tool (C3)', () => {
  const CANARY = /canary-/;
  const reaches: [string, Record<string, unknown>][] = [
    ['view', {}],
    ['save-file', { content: 'x' }],
    ['str-replace-editor', { oldText: 'canary', newText: 'x' }],
    ['remove-files', {}],
    ['file-search', {}],
    ['codebase-retrieval', { query: 'canary' }],
  ];

  test.each([
    '.env',
    './docker/../.env',
    'secrets/api-keys.yaml',
    'docker/env-link',
    'docker/secrets-link/api-keys.yaml',
    'docker/env-hard',
  ])('%s', async (path) => {
    const { call, at } = await newFilesBench();
    symlinkSync('../.env', at('docker/env-link'));
    symlinkSync('../secrets', at('docker/secrets-link'));
    if (path === 'docker/env-hard') linkSync(at('.env'), at(path));
    const before = readFileSync(at('.env'), 'utf8');
    for (const [tool, args] of reaches) {
      const target =
        tool === 'remove-files'
          ? { paths: [path] }
          : tool === 'file-search'
            ? { glob: path }
            : tool === 'codebase-retrieval'
              ? { glob: path }
              : { path };
      const answer = await call(tool, { ...args, ...target });
      expect([tool, answer.envelope.status]).toEqual([tool, 'denied']);
      expect(JSON.stringify(answer)).not.toMatch(CANARY);
    }
    expect(readFileSync(at('.env'), 'utf8')).toBe(before);
  });

  test('searches of everything leave them out', async () => {
    const { call, at } = await newFilesBench();
    symlinkSync('../.env', at('docker/env-link'));
    for (const glob of [undefined, '**', '{.env,docker/*}', '.en[v]', '**/*']) {
      const answer = await call('codebase-retrieval', { query: 'canary', ...(glob && { glob }) });
      expect(answer.envelope).toMatchObject({ status: 'done', result: { lines: [] } });
      expect(JSON.stringify(await call('file-search', { glob: glob ?? '*' }))).not.toMatch(/api-keys|"\.env"|env-link/);
    }
  });

  test('an edit that finds nothing behind a link tells nothing of what is there', async () => {
    const { call, at } = await newFilesBench();
    symlinkSync('../.env', at('docker/settings.txt'));
    const answer = await call('str-replace-editor', {
      path: 'docker/settings.txt',
      oldText: 'NEO4J_PASSWORD=x',
      newText: 'y',
    });
    expect(answer.envelope.status).toBe('denied');
    expect(JSON.stringify(answer)).not.toMatch(/canary|line/);
  });
});

describe('save-file (C1, C2)', () => {
  test('creates and replaces, previews the difference, gives an undo id', async () => {
    const { call, files, at } = await newFilesBench();
    const dry = await call('save-file', {
      path: 'kubernetes/service.yaml',
      content: readFileSync(at('kubernetes/service.yaml'), 'utf8').replace('port: 80', 'port: 81'),
      dryRun: true,
    });
    expect(dry.envelope.result?.['preview']).toContain('-      port: 80\n+      port: 81');
    const { envelope } = await call('save-file', { path: 'kubernetes/new/a.yaml', content: 'a: 1\n' });
    expect(envelope).toEqual({
      status: 'done',
      result: { path: 'kubernetes/new/a.yaml', did: 'created', bytes: 5, undo: expect.stringMatching(/^undo-/) },
    });
    const second = (await call('save-file', { path: 'kubernetes/new/a.yaml', content: 'a: 2\n' })).envelope.result;
    expect(second).toMatchObject({ did: 'replaced' });
    await files.restore(second?.['undo'] as string);
    expect(readFileSync(at('kubernetes/new/a.yaml'), 'utf8')).toBe('a: 1\n');
  });

  test('a preview shows nothing of a file that may be written and not read', async () => {
    const { call, bench } = await newFilesBench();
    const current = await bench.services.policies.current();
    const readRule = {
      ...current.rules[0]!,
      id: 'no-reading',
      decision: 'deny' as const,
      conditions: [
        {
          key: 'effect' as const,
          written: ['read'],
          holds: ({ target }: { target: { effect: string } }) => target.effect === 'read',
        },
      ],
    };
    bench.services.policies.current = async () => ({ ...current, rules: [...current.rules, readRule] });
    const dry = await call('save-file', { path: 'docker/Dockerfile', content: 'FROM x\n', dryRun: true });
    expect(dry.envelope.status).toBe('planned');
    expect(JSON.stringify(dry)).not.toContain('HEALTHCHECK');
  });

  test.each([
    ['docker/redis', 'x', 'invalid_input'],
    ['docker/x', 'x'.repeat(1_048_577), 'invalid_input'],
    ['docker/x', '\ud800', 'invalid_input'],
    ['../x', 'x', 'denied'],
    ['src/orchestration/graph.py', 'x', 'denied'],
    ['.git/hooks/pre-commit', 'x', 'denied'],
  ])('refuses %s', async (path, content, code) => {
    const { call } = await newFilesBench();
    expect((await call('save-file', { path, content })).envelope.error?.code).toBe(code);
  });
});

describe('str-replace-editor (C1, C2)', () => {
  const path = 'kubernetes/deployment.yaml';

  test('replaces the one piece and says where', async () => {
    const { call, at } = await newFilesBench();
    const { envelope, text } = await call('str-replace-editor', {
      path,
      oldText: 'replicas: 3',
      newText: 'replicas: $& 4',
    });
    expect(envelope.result).toMatchObject({ path, line: 10 });
    expect(text).toMatch(/^edited kubernetes\/deployment\.yaml at line 10/);
    expect(readFileSync(at(path), 'utf8')).toContain('replicas: $& 4\n');
  });

  test('a piece that is not there or there twice: the nearest line, or the count', async () => {
    const { call, at } = await newFilesBench();
    const error = async (oldText: string) =>
      (await call('str-replace-editor', { path, oldText, newText: 'x' })).envelope.error;
    expect(await error('replicas:  3')).toMatchObject({
      code: 'invalid_input',
      hint: expect.stringContaining('Line 10 differs only in white space'),
    });
    expect(await error('replicas: 4')).toMatchObject({
      hint: expect.stringContaining('The nearest is line 10: "  replicas: 3"'),
    });
    expect(await error('zzz')).toMatchObject({ hint: expect.stringContaining('No line is like it') });
    expect(await error('port: 8000')).toMatchObject({
      reason: expect.stringContaining('occurs 2 times'),
      hint: expect.stringContaining('First: line'),
    });
    expect(await error('')).toMatchObject({ code: 'invalid_input' });
    expect(await error('x')).toMatchObject({ reason: 'oldText and newText are the same.' });
    writeFileSync(at('docker/crlf.txt'), 'one\r\ntwo\r\n');
    expect(
      (await call('str-replace-editor', { path: 'docker/crlf.txt', oldText: 'one\ntwo', newText: 'x' })).envelope.error
        ?.hint,
    ).toContain('\\r\\n');
    writeFileSync(at('docker/aaa.txt'), 'aaa');
    expect(
      (await call('str-replace-editor', { path: 'docker/aaa.txt', oldText: 'aa', newText: 'x' })).envelope.error
        ?.reason,
    ).toContain('2 times');
    writeFileSync(at('docker/latin1.txt'), Buffer.from([0x61, 0xe9]));
    expect(
      (await call('str-replace-editor', { path: 'docker/latin1.txt', oldText: 'a', newText: 'x' })).envelope.error
        ?.reason,
    ).toContain('no UTF-8 text');
  });

  test('other bytes of the file stay as they are, a byte order mark included', async () => {
    const { call, at } = await newFilesBench();
    writeFileSync(at('docker/bom.txt'), '\ufeffone\r\ntwo\r\nthree');
    await call('str-replace-editor', { path: 'docker/bom.txt', oldText: 'two', newText: '2' });
    expect(readFileSync(at('docker/bom.txt'), 'utf8')).toBe('\ufeffone\r\n2\r\nthree');
  });
});

describe('remove-files (C1, C2, I1)', () => {
  test('is held with a list; nothing goes before approval, all goes after it once, and comes back by restore', async () => {
    const { call, approveAndRun, files, at } = await newFilesBench();
    const paths = ['docker/old-compose.yml', 'kubernetes/old-deployment.yaml'];
    const held = (await call('remove-files', { paths })).envelope;
    expect(held).toMatchObject({
      status: 'approval_required',
      approval: { summary: expect.stringMatching(/^remove 2 files \(\d+ bytes\)$/) },
    });
    expect(paths.every((path) => existsSync(at(path)))).toBe(true);
    const id = held.approval?.id ?? '';
    const done = (await approveAndRun(id)).envelope;
    expect(done).toMatchObject({
      status: 'done',
      result: { removed: [{ path: paths[0], undo: expect.stringMatching(/^undo-/) }, { path: paths[1] }] },
    });
    expect(paths.some((path) => existsSync(at(path)))).toBe(false);
    expect((await call('approval', { action: 'run', id })).envelope.status).not.toBe('done');
    for (const path of paths) await files.restore(path);
    expect(readFileSync(at('docker/old-compose.yml'), 'utf8')).toContain('tta-api:v0.3.0');
  });

  test('one byte changed after the approval: stale, and everything stays', async () => {
    const { call, approveAndRun, at } = await newFilesBench();
    const { approval } = (
      await call('remove-files', { paths: ['docker/old-compose.yml', 'kubernetes/old-deployment.yaml'] })
    ).envelope;
    writeFileSync(at('kubernetes/old-deployment.yaml'), '# changed');
    const { envelope } = await approveAndRun(approval?.id ?? '');
    expect(envelope).toMatchObject({
      status: 'stale',
      error: { changes: [{ what: 'the content of kubernetes/old-deployment.yaml' }] },
    });
    expect(existsSync(at('docker/old-compose.yml'))).toBe(true);
  });

  test.each([
    [['docker/redis'], 'invalid_input', /docker\/redis\/\*\*/],
    [['docker/old-compose.yml', 'docker/nowhere.yml'], 'not_found', /Nothing was removed/],
    [['docker/old-compose.yml', 'docker/link.yml'], 'invalid_input', /once/],
    [[], 'invalid_input', /./],
    [Array.from({ length: 101 }, (_, index) => `docker/${index}`), 'invalid_input', /./],
  ])('refuses %j as a whole', async (paths, code, hint) => {
    const { call, at } = await newFilesBench();
    symlinkSync('old-compose.yml', at('docker/link.yml'));
    expect((await call('remove-files', { paths })).envelope.error).toMatchObject({
      code,
      hint: expect.stringMatching(hint),
    });
    expect(existsSync(at('docker/old-compose.yml'))).toBe(true);
  });

  test('one denied path denies all', async () => {
    const { call } = await newFilesBench();
    expect(
      (await call('remove-files', { paths: ['docker/old-compose.yml', 'src/orchestration/graph.py'] })).envelope.status,
    ).toBe('denied');
  });
});

describe('file-search and codebase-retrieval (C1, A7)', () => {
  test('files by glob, permitted ones only, .gitignore respected', async () => {
    const { call, at } = await newFilesBench();
    writeFileSync(at('docker/debug.log'), '');
    const { envelope } = await call('file-search', { glob: 'docker/**' });
    expect(envelope.result).toEqual({
      paths: ['docker/Dockerfile', 'docker/old-compose.yml', 'docker/redis/redis.conf'],
    });
    expect((await call('file-search', { glob: '**/*.py' })).envelope.result).toEqual({
      paths: ['src/main.py', 'src/orchestration/graph.py', 'src/orchestration/state.py'],
      note: '5 not allowed by policy.',
    });
    expect((await call('file-search', { glob: 'pyproject.toml' })).envelope.result).toEqual({
      paths: ['pyproject.toml'],
    });
    expect((await call('file-search', { glob: 'nowhere/*' })).envelope.result).toMatchObject({ paths: [] });
    expect((await call('file-search', { glob: 'secrets/*' })).envelope.status).toBe('denied');
    expect((await call('file-search', { glob: '../*' })).envelope.status).toBe('denied');
    expect((await call('file-search', { glob: '{a' })).envelope.error?.code).toBe('invalid_input');
  });

  test('lines by text and by expression, best first, with what was not searched', async () => {
    const { call } = await newFilesBench();
    const { envelope, text } = await call('codebase-retrieval', { query: 'tta-api:v1.0.0' });
    expect(envelope.result).toMatchObject({
      lines: ['kubernetes/deployment.yaml:25: image: tta-api:v1.0.0'],
      total: 1,
      note: expect.stringMatching(/files not allowed by policy/),
    });
    expect(text).toMatch(/^kubernetes\/deployment\.yaml:25: /);
    expect(
      (await call('codebase-retrieval', { query: '/^def \\w+/', glob: 'src/**' })).envelope.result?.['lines'],
    ).toEqual([
      'src/orchestration/graph.py:12: def next_scene(scene: str) -> str:',
      'src/orchestration/state.py:9: def session_key(player: str) -> str:',
    ]);
    expect((await call('codebase-retrieval', { query: 'x', glob: 'docker/nowhere.yml' })).envelope.error?.code).toBe(
      'not_found',
    );
    expect((await call('codebase-retrieval', { query: '/(a/' })).envelope.error?.code).toBe('invalid_input');
  });

  test('many matches are bounded, and say so', async () => {
    const { call, at } = await newFilesBench();
    for (let index = 0; index < 20; index++)
      writeFileSync(at(`docker/many-${index}.txt`), `needle ${'x'.repeat(300)}\n`.repeat(50));
    const { envelope } = await call('codebase-retrieval', { query: 'needle' });
    expect(envelope.result).toMatchObject({
      total: 1000,
      note: expect.stringMatching(/^\d+ more lines matched: narrow the query or the glob\./),
    });
    expect(Buffer.byteLength(JSON.stringify(envelope.result))).toBeLessThan(8192);
    expect(envelope.next).toBeUndefined();
  });
});
