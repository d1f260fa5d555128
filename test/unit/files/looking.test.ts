import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { createFakeFiles } from '../../../src/adapters/files/fake.ts';
import { list, newWorkspace, refusal, searchIn } from './workspace.ts';

const paths = (listing: { entries: { path: string }[] }) => listing.entries.map(({ path }) => path);

describe('listing (C1)', () => {
  test('one level or all, folders and linked folders once, .gitignore respected where it stands', async () => {
    const { files, at } = newWorkspace({
      '.gitignore': 'build/\n*.log\n!keep.log\n',
      'a/.gitignore': '/only-here\n',
      'a/only-here': '',
      'a/b/only-here': '',
      'a/x.log': '',
      'a/keep.log': '',
      'build/out.txt': '',
      '.git/config': '',
      'z.txt': '',
    });
    symlinkSync('a', at('link'));
    symlinkSync('..', at('a/loop'));
    expect(paths(await list(files, '.', { limit: 100 }))).toEqual(['.gitignore', 'a', 'link', 'z.txt']);
    expect(paths(await list(files, '.', { limit: 100, respectIgnore: false }))).toEqual([
      '.git',
      '.gitignore',
      'a',
      'build',
      'link',
      'z.txt',
    ]);
    expect(paths(await list(files, '.', { limit: 100, recursive: true }))).toEqual([
      '.gitignore', 'a', 'a/.gitignore', 'a/b', 'a/b/only-here', 'a/keep.log', 'a/loop', 'link', 'z.txt',
    ]); // prettier-ignore
    expect(paths(await list(files, 'a/b', { limit: 100 }))).toEqual(['a/b/only-here']);
    expect(paths(await list(files, 'build', { limit: 100 }))).toEqual(['build/out.txt']);
    expect(await list(files, 'link', { limit: 1 })).toMatchObject({
      entries: [{ path: 'link/.gitignore', real: 'a/.gitignore' }],
      cut: true,
    });
  });

  test('names that could mislead are shown escaped, and cannot be opened', async () => {
    const { files, at } = newWorkspace({ 'ok.txt': '' });
    for (const name of ['new\nline', '\u202egnp.exe', 'tab\t', ' lead', 'dot.', 'back\\slash'])
      writeFileSync(at(name), '');
    const { entries, refused } = await list(files, '.', { limit: 100 });
    expect(entries.map(({ path }) => path)).toEqual(['ok.txt']);
    expect(refused.map(({ shown }) => shown).toSorted()).toEqual([
      ' lead',
      '\\u{202e}gnp.exe',
      'back\\u{5c}slash',
      'dot.',
      'new\\u{a}line',
      'tab\\u{9}',
    ]);
    expect(refused.every(({ path, why }) => path === undefined && why !== '')).toBe(true);
  });

  test('says whether a file’s owner may execute it', async () => {
    const { files, at } = newWorkspace({ 'run.sh': '', 'a.txt': '' });
    chmodSync(at('run.sh'), 0o744);
    const [text, program] = (await list(files, '.', { limit: 9 })).entries;
    expect([text?.executable, program?.executable, (await files.look('.')).executable]).toEqual([
      false,
      true,
      undefined,
    ]);
  });

  test('what policy does not permit is counted and not named, also where it cannot be opened (C3)', async () => {
    const { files, at } = newWorkspace({ '.env': 'x', 'a.txt': '' });
    linkSync(at('.env'), at('secret-copy'));
    const { entries, refused, hidden } = await list(files, '.', {
      limit: 100,
      permits: ({ path }) => path === 'a.txt',
    });
    expect({ paths: entries.map(({ path }) => path), refused, hidden }).toEqual({
      paths: ['a.txt'],
      refused: [],
      hidden: 2,
    });
  });

  test('very many entries are cut at the limit', async () => {
    const { files, at } = newWorkspace();
    mkdirSync(at('many'));
    for (let index = 0; index < 3000; index++) writeFileSync(at(`many/${index}`), '');
    expect(await list(files, 'many', { limit: 50 })).toMatchObject({ cut: true, entries: { length: 50 } });
    expect(await list(files, 'many', { limit: 5000 })).toMatchObject({ cut: false, entries: { length: 3000 } });
  });

  test('stops when it is told to', async () => {
    const { files, at } = newWorkspace();
    mkdirSync(at('many'));
    for (let index = 0; index < 500; index++) writeFileSync(at(`many/${index}`), '');
    await expect(list(files, 'many', { limit: 5000, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
  });
});

describe('searching (C1, C3, A7)', () => {
  const contents = {
    'docker/Dockerfile': 'FROM base\nENV REDIS_URL=x\nCMD redis\n',
    'src/redis.py': 'class RedisClient:\n    url = "redis://"\n    REDIS = 1\n',
    '.env': 'REDIS_URL=canary\n',
    'big.txt': `${'x'.repeat(5_000_000)} redis`,
    'image.bin': 'redis\0',
    'vendor/x.txt': 'redis',
    '.gitignore': 'vendor/\n',
  };
  const search = (query: string, glob?: string, permits = ({ path }: { path: string }) => path !== '.env') =>
    searchIn(newWorkspace(contents).files, { query, ...(glob && { glob }), permits, limit: 10 });

  test('text, in any letter case; whole words and the exact case first; what was skipped is counted', async () => {
    const found = await search('REDIS');
    expect(found.matches.map(({ path, line }) => `${path}:${line}`)).toEqual([
      'src/redis.py:1',
      'src/redis.py:2',
      'src/redis.py:3',
      'docker/Dockerfile:2',
      'docker/Dockerfile:3',
    ]);
    expect(found).toMatchObject({
      total: 5,
      files: 3,
      whole: true,
      cut: false,
      skipped: { policy: 1, large: 1, binary: 1, refused: 0 },
    });
  });

  test('a file that is not permitted is never opened', async () => {
    const { files, at } = newWorkspace({ '.env': 'KEY=canary', 'a.txt': 'canary' });
    symlinkSync('.env', at('alias'));
    const asked: string[] = [];
    const { matches } = await searchIn(files, {
      query: 'canary',
      permits: ({ path, real }) => (asked.push(`${path} ${real}`), real !== '.env'),
      limit: 10,
    });
    expect(matches.map(({ path }) => path)).toEqual(['a.txt']);
    expect(asked.toSorted()).toEqual(['.env .env', 'a.txt a.txt', 'alias .env']);
  });

  test('a glob narrows it; without wildcards it is one file', async () => {
    expect((await search('redis', '**/*.py')).files).toBe(1);
    expect((await search('redis', 'docker/Dockerfile')).matches).toHaveLength(2);
    expect((await search('redis', 'vendor/**')).files).toBe(1);
    expect((await search('canary', '.env')).skipped.policy).toBe(1);
    expect((await refusal(() => search('redis', '*a*('))).code).toBe('invalid_input');
  });

  test('where no line has all of the text, lines with half of its words or more', async () => {
    const found = await search('redis client class');
    expect(found).toMatchObject({ whole: false, total: 1, matches: [{ path: 'src/redis.py', line: 1 }] });
  });

  test('regular expressions, with and without regard to letter case', async () => {
    expect((await search('/^REDIS|^ENV/')).matches.map(({ text }) => text)).toEqual(['ENV REDIS_URL=x']);
    expect((await search('/^class redis/i')).matches).toHaveLength(1);
    expect((await search('/redis$/')).total).toBe(1);
  });

  test.each([
    '/(a/',
    '/a{2000}/',
    '/((a{100}){100}){100}/',
    '/(?=a)/',
    '/\\1/',
    `/${'(a|b)'.repeat(400)}/`,
    '',
    '   ',
    'x'.repeat(501),
  ])('refuses the query %j with what to do', async (query) => {
    expect(await refusal(() => search(query))).toMatchObject({
      code: 'invalid_input',
      hint: expect.stringMatching(/\w/),
    });
  });

  test('patterns that are catastrophic elsewhere come to an end', async () => {
    const { files } = newWorkspace({ 'a.txt': `${'a'.repeat(50_000)}\n`.repeat(20) });
    for (const query of ['/(a+)+$b/', '/(a|a)*b/', '/(.*a){20}b/', '/^(([a-z])+.)+[A-Z]([a-z])+$/'])
      expect((await searchIn(files, { query, permits: () => true, limit: 5 })).files).toBe(1);
  });

  test('the fake finds what the real one finds', async () => {
    const { '.gitignore': _, 'vendor/x.txt': __, ...rest } = contents;
    const real = newWorkspace(rest).files;
    const fake = createFakeFiles(rest);
    for (const options of [{ query: 'redis' }, { query: '/url/i', glob: '**/*.py' }, { query: 'redis', glob: '.env' }])
      expect(await searchIn(fake, { ...options, permits: () => true, limit: 9 })).toEqual(
        await searchIn(real, { ...options, permits: () => true, limit: 9 }),
      );
    for (const path of ['.', 'src', 'docker/Dockerfile', 'nowhere'])
      expect(await fake.look(path)).toEqual(await real.look(path));
    for (const options of [
      { limit: 9 },
      { limit: 2 },
      { limit: 9, recursive: true },
      { limit: 9, recursive: true, glob: '**/*r*' },
    ])
      expect(await list(fake, '.', options)).toEqual(await list(real, '.', options));
  });
});
