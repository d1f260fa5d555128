import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { createMemory } from '../../../src/adapters/memory/client.ts';
import { newMemoryBench } from './bench.ts';

type Called = Awaited<ReturnType<Awaited<ReturnType<typeof newMemoryBench>>['call']>>;

/** The names of the memories in a result. */
const namesIn = ({ envelope }: Called) =>
  (envelope.result?.['memories'] as unknown as { name: string }[] | undefined)?.map(({ name }) => name);

const NOW = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('write-memory (H1)', () => {
  test('creates, dates and signs a memory; what is not ours in its front matter stays', async () => {
    const { call, at, files } = await newMemoryBench();
    const made = await call('write-memory', {
      name: 'decisions/registry',
      content: '# Registry\n\nImages go to ghcr.io.',
      type: 'decision',
      links: ['staging-cluster'],
    });
    expect(made.envelope).toMatchObject({
      status: 'done',
      result: { name: 'decisions/registry', did: 'created', missing: ['staging-cluster'] },
    });
    const path = at('docs/memory/decisions/registry.md');
    const text = readFileSync(path, 'utf8');
    expect(text).toMatch(
      /^---\ntype: decision\nagent: devops\ncreated: \S+Z\nupdated: \S+Z\nlinks: \[ staging-cluster \]\n---\n\n# Registry\n\nImages go to ghcr\.io\.\n$/,
    );
    writeFileSync(path, text.replace('type:', '# by hand\nowner: platform # asked in March\ntype:'));
    const edited = await call('write-memory', {
      name: 'decisions/registry',
      oldText: 'ghcr.io',
      newText: 'registry.example',
      tags: ['images'],
    });
    expect(edited.envelope.result).toMatchObject({ did: 'edited', undo: expect.stringMatching(/^undo-/) });
    const after = readFileSync(path, 'utf8');
    expect(after).toContain('# by hand\nowner: platform # asked in March\n');
    expect(after).toContain('tags: [ images ]');
    expect(after).toContain('Images go to registry.example.');
    expect(/^created: (.*)$/m.exec(after)?.[1]).toBe(/^created: (.*)$/m.exec(text)?.[1]);
    await files.restore(edited.envelope.result?.['undo'] as string);
    expect(readFileSync(path, 'utf8')).toContain('ghcr.io');
  });

  test('who and when are never taken from the text', async () => {
    const { call, at } = await newMemoryBench();
    const content =
      '---\nagent: architect\nupdated: 1999-01-01\ncreated: 1999-01-01\ntype: status\nticket: OPS-1\n---\nReady.';
    await call('write-memory', { name: 'ready', content });
    const text = readFileSync(at('docs/memory/ready.md'), 'utf8');
    expect(text).toMatch(/^type: status$/m);
    expect(text).toMatch(/^ticket: OPS-1$/m);
    expect(text).toMatch(/^agent: devops$/m);
    expect(text).not.toMatch(/1999|architect/);
    const { memory } = (await call('read-memory', { name: 'ready' })).envelope.result as {
      memory: Record<string, unknown>;
    };
    expect(memory).toMatchObject({
      type: 'status',
      agent: 'devops',
      text: 'Ready.\n',
      updated: expect.stringMatching(NOW),
    });
  });

  test('renames, and says what still links to the old name', async () => {
    const { call, at } = await newMemoryBench();
    await call('write-memory', { name: 'a', content: 'The first.' });
    await call('write-memory', { name: 'b', content: 'The second.', links: ['a'] });
    const renamed = await call('write-memory', { name: 'a', rename: 'plans/first' });
    expect(renamed.envelope.result).toMatchObject({ name: 'plans/first', did: 'renamed', linkedFrom: ['b'] });
    expect(existsSync(at('docs/memory/a.md'))).toBe(false);
    expect(readFileSync(at('docs/memory/plans/first.md'), 'utf8')).toContain('The first.');
    expect((await call('write-memory', { name: 'b', rename: 'plans/first' })).envelope.error).toMatchObject({
      code: 'conflict',
    });
    expect(existsSync(at('docs/memory/b.md'))).toBe(true);
  });

  test.each([
    [{ name: '../etc/passwd', content: 'x' }, /no name of a memory/],
    [{ name: 'Decisions', content: 'x' }, /no name of a memory/],
    [{ name: 'a//b', content: 'x' }, /no name of a memory/],
    [{ name: 'a', content: 'x', oldText: 'y', newText: 'z' }, /whole text/],
    [{ name: 'a', oldText: 'y' }, /go together/],
    [{ name: 'a' }, /says nothing/],
    [{ name: 'a', type: 'opinion', content: 'x' }, /type/],
    [{ name: 'a', content: '  ' }, /empty/],
    [{ name: 'a', content: 'x', links: ['No Name'] }, /no name of a memory/],
    [{ name: 'missing', oldText: 'a', newText: 'b' }, /no memory missing/],
    [{ name: 'a', content: '---\n: : [\n---\nx' }, /front matter cannot be read/],
  ])('%o is refused in words and writes nothing', async (args, says) => {
    const { call, at } = await newMemoryBench();
    const { envelope } = await call('write-memory', args);
    expect(envelope.status).toBe('error');
    expect(envelope.error?.reason).toMatch(says);
    expect(existsSync(at('docs/memory'))).toBe(false);
  });

  test('a name that differs in letter case alone from a file that is there', async () => {
    const { call, at } = await newMemoryBench();
    mkdirSync(at('docs/memory/Plans'), { recursive: true });
    writeFileSync(at('docs/memory/README.md'), 'Read me.');
    expect((await call('write-memory', { name: 'readme', content: 'x' })).envelope.error?.code).toBe('conflict');
    expect((await call('write-memory', { name: 'plans/x', content: 'x' })).envelope.error?.code).toBe('conflict');
    const { note } = (await call('read-memory', {})).envelope.result as { note: string };
    expect(note).toContain('docs/memory/README.md');
  });

  test('an edit by an expression, once or everywhere', async () => {
    const { call, at } = await newMemoryBench();
    await call('write-memory', { name: 'a', content: 'port 80\nport 81\n' });
    const twice = { name: 'a', oldText: 'port (\\d+)', newText: 'door $!1', regex: true };
    expect((await call('write-memory', twice)).envelope.error?.reason).toMatch(/occurs 2 times/);
    expect((await call('write-memory', { ...twice, all: true })).envelope.status).toBe('done');
    expect(readFileSync(at('docs/memory/a.md'), 'utf8')).toContain('door 80\ndoor 81\n');
    expect((await call('write-memory', { ...twice, oldText: '(?=x)' })).envelope.error?.code).toBe('invalid_input');
  });

  test('dryRun shows the difference and writes nothing', async () => {
    const { call, at } = await newMemoryBench();
    const { envelope } = await call('write-memory', { name: 'a', content: 'x', dryRun: true });
    expect(envelope).toMatchObject({ status: 'planned', result: { preview: expect.stringContaining('+type: note') } });
    expect(existsSync(at('docs/memory/a.md'))).toBe(false);
  });

  test('a memory that somebody changes in between is stale, and theirs stays', async () => {
    const { call, at, bench } = await newMemoryBench();
    await call('write-memory', { name: 'a', content: 'first' });
    const { files } = bench.services.ports;
    const path = at('docs/memory/a.md');
    bench.services.ports.files = {
      ...files,
      async expect(each, identity) {
        const bound = await files.expect(each, identity);
        writeFileSync(path, 'by somebody else\n');
        return bound;
      },
    };
    const { envelope } = await call('write-memory', { name: 'a', content: 'second' });
    expect(envelope.status).toBe('stale');
    expect(readFileSync(path, 'utf8')).toBe('by somebody else\n');
  });

  test('a rename whose old file somebody changes in between leaves one memory, theirs', async () => {
    const { call, at, bench } = await newMemoryBench();
    await call('write-memory', { name: 'a', content: 'first' });
    const { files } = bench.services.ports;
    bench.services.ports.files = {
      ...files,
      async write(file, bytes) {
        writeFileSync(at('docs/memory/a.md'), 'by somebody else\n');
        return files.write(file, bytes);
      },
    };
    expect((await call('write-memory', { name: 'a', rename: 'b' })).envelope.status).toBe('stale');
    expect(existsSync(at('docs/memory/b.md'))).toBe(false);
    expect(readFileSync(at('docs/memory/a.md'), 'utf8')).toBe('by somebody else\n');
  });

  test('a link out of the memories is refused before anything is read through it (THREATS)', async () => {
    const { call, at } = await newMemoryBench();
    mkdirSync(at('docs/memory'), { recursive: true });
    writeFileSync(at('.env'), 'TOKEN=planted-value\n');
    symlinkSync('../../.env', at('docs/memory/notes.md'));
    for (const [tool, args] of [
      ['write-memory', { name: 'notes', oldText: 'planted', newText: 'x' }],
      ['write-memory', { name: 'notes', content: 'x' }],
      ['read-memory', { name: 'notes' }],
      ['read-memory', { query: 'planted' }],
      ['read-memory', {}],
      ['delete-memory', { name: 'notes' }],
    ] as const) {
      const { envelope } = await call(tool, args);
      expect(JSON.stringify(envelope)).not.toContain('planted-value');
      expect(envelope.result?.['memories'] ?? []).toEqual([]);
    }
    expect(readFileSync(at('.env'), 'utf8')).toBe('TOKEN=planted-value\n');
  });
});

describe('delete-memory (H1, C2)', () => {
  test('waits for a person, keeps a copy', async () => {
    const { call, approveAndRun, at, files } = await newMemoryBench();
    await call('write-memory', { name: 'a', content: 'Gone soon.' });
    await call('write-memory', { name: 'b', content: 'x', links: ['a'] });
    const held = (await call('delete-memory', { name: 'a' })).envelope;
    expect(held).toMatchObject({
      status: 'approval_required',
      approval: { summary: expect.stringMatching(/^delete the memory a /) },
    });
    expect(existsSync(at('docs/memory/a.md'))).toBe(true);
    const ran = await approveAndRun(held.approval?.id ?? '');
    expect(ran.envelope.result).toMatchObject({ name: 'a', linkedFrom: ['b'] });
    expect(existsSync(at('docs/memory/a.md'))).toBe(false);
    await files.restore(ran.envelope.result?.['undo'] as string);
    expect(readFileSync(at('docs/memory/a.md'), 'utf8')).toContain('Gone soon.');
    expect((await call('delete-memory', { name: 'never' })).envelope.error?.code).toBe('not_found');
  });
});

describe('read-memory (H1)', () => {
  test('searches by words, title before tags before text, stems, and refreshes by what changed', async () => {
    const { call, at } = await newMemoryBench();
    await call('write-memory', { name: 'rollback', content: '# Rolling back\n\nUse kubectl rollout undo.' });
    await call('write-memory', { name: 'cluster', content: '# The cluster\n\nKept small.', tags: ['rollback'] });
    await call('write-memory', { name: 'other', content: '# Other\n\nWe once did a rollback of the api.' });
    await call('write-memory', { name: 'far', content: '# Far\n\nNothing here.' });
    const found = async (query: string) => namesIn(await call('read-memory', { query }));
    expect(await found('rollback')).toEqual(['rollback', 'cluster', 'other']);
    expect(await found('deploying kubectl rollouts')).toEqual(['rollback']);
    expect(await found('rollbacks api')).toEqual(['other']);
    writeFileSync(at('docs/memory/far.md'), '# Far\n\nA planetarium.\n');
    expect(await found('planetarium')).toEqual(['far']);
    writeFileSync(at('docs/memory/far.md'), '# Far\n\nAn observatory\n');
    expect(await found('planetarium')).toEqual([]);
    // As large as before, and as old by what it says of itself.
    const { atime, mtime } = statSync(at('docs/memory/far.md'));
    writeFileSync(at('docs/memory/far.md'), '# Far\n\nAn laboratory!\n');
    utimesSync(at('docs/memory/far.md'), atime, mtime);
    expect(await found('laboratory')).toEqual(['far']);
    writeFileSync(at('docs/memory/far.md'), '# Far\n\nAn observatory\n');
    const hit = (await call('read-memory', { query: 'observatory' })).envelope.result?.['memories'] as {
      snippet: string;
    }[];
    expect(hit[0]?.snippet).toContain('An observatory');
  });

  test('lists with type, size, date and links; a folder by its name; near names', async () => {
    const { call } = await newMemoryBench();
    await call('write-memory', { name: 'decisions/registry', content: 'ghcr', type: 'decision', links: ['status/ci'] });
    await call('write-memory', { name: 'status/ci', content: 'green', type: 'status' });
    const names = async (args: object) => namesIn(await call('read-memory', { ...args }));
    const { memories } = (await call('read-memory', {})).envelope.result as { memories: object[] };
    expect(memories[0]).toMatchObject({
      name: 'decisions/registry',
      type: 'decision',
      bytes: expect.any(Number),
      updated: expect.stringMatching(NOW),
      links: ['status/ci'],
    });
    expect(await names({})).toEqual(['decisions/registry', 'status/ci']);
    expect(await names({ type: 'status' })).toEqual(['status/ci']);
    expect(await names({ name: 'decisions/' })).toEqual(['decisions/registry']);
    expect(await names({ limit: 1 })).toEqual(['decisions/registry']);
    const one = await call('read-memory', { name: 'status/ci' });
    expect(one.envelope.result?.['memory']).toMatchObject({ linkedFrom: ['decisions/registry'], text: 'green\n' });
    expect((await call('read-memory', { name: 'decision/registry' })).envelope.error).toMatchObject({
      code: 'not_found',
      hint: 'Did you mean decisions/registry?',
    });
  });

  test('secrets in a memory are neither found nor shown (C3)', async () => {
    const { call, at } = await newMemoryBench();
    const token = ['ghp', 'abcdefghijklmnopqrstuvwxyz0123456789'].join('_');
    mkdirSync(at('docs/memory'), { recursive: true });
    writeFileSync(at('docs/memory/leak.md'), `# Leak\n\nThe token is ${token}.\n`);
    for (const args of [
      { name: 'leak' },
      { query: token },
      { query: 'abcdefghijklmnopqrstuvwxyz0123456789' },
      { query: 'token' },
    ]) {
      const { envelope, text } = await call('read-memory', args);
      expect(JSON.stringify(envelope) + text).not.toContain('abcdefghij');
    }
    expect(
      (await call('read-memory', { query: 'abcdefghijklmnopqrstuvwxyz0123456789' })).envelope.result?.['memories'],
    ).toEqual([]);
  });

  test('what the policy denies by now is not found any more', async () => {
    const { call, bench, at } = await newMemoryBench();
    mkdirSync(at('docs/memory/secrets'), { recursive: true });
    writeFileSync(at('docs/memory/secrets/plan.md'), 'zeppelin\n');
    writeFileSync(at('docs/memory/open.md'), 'zeppelin\n');
    expect((await call('read-memory', { query: 'zeppelin' })).envelope.result?.['memories']).toMatchObject([
      { name: 'open' },
    ]);
    expect((await call('read-memory', { name: 'secrets/plan' })).envelope.status).toBe('denied');
    expect(bench.services.persona.name).toBe('devops');
  });

  test('a large memory is cut, and says where the rest is', async () => {
    const { call } = await newMemoryBench();
    await call('write-memory', {
      name: 'long',
      content: Array.from({ length: 2000 }, (_, i) => `line ${i}`).join('\n'),
    });
    const { envelope } = await call('read-memory', { name: 'long' });
    expect(envelope.result?.['note']).toMatch(/docs\/memory\/long\.md/);
    expect(Buffer.byteLength(JSON.stringify(envelope))).toBeLessThan(8192);
  });
});

describe('edits record themselves (H1)', () => {
  test('every file tool, with who, what, when and how to undo; listed and searched as edits', async () => {
    const { call, approveAndRun, edits, at } = await newMemoryBench();
    await call('save-file', { path: 'docker/new/Dockerfile', content: 'FROM scratch\n' });
    await call('str-replace-editor', { path: 'docker/new/Dockerfile', oldText: 'scratch', newText: 'alpine:3' });
    const held = (await call('remove-files', { paths: ['docker/new/Dockerfile'] })).envelope;
    await approveAndRun(held.approval?.id ?? '');
    await call('write-memory', { name: 'a', content: 'x' });
    expect(existsSync(at('docker/new/Dockerfile'))).toBe(false);
    expect((await edits.list(10)).map(({ did, tool, path }) => `${tool} ${did} ${path}`).toSorted()).toEqual([
      'remove-files removed docker/new/Dockerfile',
      'save-file created docker/new/Dockerfile',
      'str-replace-editor changed docker/new/Dockerfile',
      'write-memory created docs/memory/a.md',
    ]);
    const { envelope } = await call('read-memory', { type: 'edit', query: 'Dockerfile removed' });
    expect(envelope.result).toMatchObject({
      memories: [],
      edits: [
        {
          type: 'edit',
          path: 'docker/new/Dockerfile',
          did: 'removed',
          bytes: 0,
          agent: 'devops',
          person: 'ann',
          at: expect.stringMatching(NOW),
          undo: expect.stringMatching(/^undo-/),
          call: expect.any(String),
        },
      ],
    });
  });

  test('what is denied, held or planned is no edit; what cannot be recorded is done all the same', async () => {
    const { call, edits, bench, at } = await newMemoryBench();
    await call('save-file', { path: '.env', content: 'x' });
    await call('remove-files', { paths: ['docker/Dockerfile'] });
    await call('save-file', { path: 'docker/x', content: 'x', dryRun: true });
    expect(await edits.list(10)).toEqual([]);
    const logged: string[] = [];
    bench.services.log = (level, _fields, message) => void logged.push(`${level} ${message}`);
    bench.services.edits = { ...edits, record: () => Promise.reject(new Error('full')) };
    expect((await call('save-file', { path: 'docker/x', content: 'x' })).envelope.status).toBe('done');
    expect(existsSync(at('docker/x'))).toBe(true);
    expect(logged).toEqual(['warn an edit could not be recorded']);
    await bench.store.query('DROP TABLE memory_edits');
    bench.services.edits = edits;
    bench.services.ports.memory = createMemory({ list: async () => [] });
    expect((await call('write-memory', { name: 'a', content: 'x' })).envelope.result?.['did']).toBe('created');
    expect(logged.length).toBe(2);
  });

  test('edits of files that may not be read are not told', async () => {
    const { call, edits } = await newMemoryBench();
    const edit = {
      did: 'changed' as const,
      bytes: 1,
      tool: 'save-file',
      agent: 'other',
      person: 'bob',
      call: 'c',
      undo: 'u',
    };
    await edits.record({ ...edit, path: 'secrets/key.txt' });
    await edits.record({ ...edit, path: 'docker/Dockerfile' });
    expect((await call('read-memory', { type: 'edit' })).envelope.result?.['edits']).toMatchObject([
      { path: 'docker/Dockerfile' },
    ]);
  });
});

describe('Serena’s names (H1, S0)', () => {
  test('each alias does what the tool does, under the policy of the tool, and is in the audit log as it', async () => {
    const { call, bench, at } = await newMemoryBench();
    expect(
      (await call('write_memory_Serena', { memory_name: 'suggested_commands.md', content: 'kubectl get pods' }))
        .envelope.result,
    ).toMatchObject({ name: 'suggested-commands', did: 'created' });
    expect((await call('read_memory_Serena', { memory_file_name: 'suggested_commands' })).text).toContain(
      'kubectl get pods',
    );
    expect(
      (await call('edit_memory', { memory_name: 'suggested-commands', needle: 'pods', repl: 'nodes', mode: 'literal' }))
        .envelope.status,
    ).toBe('done');
    expect(
      (
        await call('edit_memory', {
          memory_name: 'suggested-commands',
          needle: 'kubectl.*?nodes',
          repl: 'k9s',
          mode: 'regex',
        })
      ).envelope.status,
    ).toBe('done');
    expect(readFileSync(at('docs/memory/suggested-commands.md'), 'utf8')).toMatch(/\n\nk9s\n$/);
    expect(
      (await call('rename_memory', { old_name: 'suggested_commands', new_name: 'commands' })).envelope.result,
    ).toMatchObject({ did: 'renamed' });
    expect((await call('list_memories', {})).envelope.result?.['memories']).toMatchObject([{ name: 'commands' }]);
    expect(
      (await call('use-tool', { name: 'list_memories_Serena', arguments: { topic: 'other' } })).envelope.result?.[
        'memories'
      ],
    ).toEqual([]);
    expect((await call('delete_memory', { memory_name: 'commands' })).envelope.status).toBe('approval_required');
    expect((await call('write_memory', { memory_name: 'x', content: 'y', dryRun: true })).envelope.status).toBe(
      'planned',
    );
    const opened = (await bench.audit()).filter(({ kind }) => kind === 'opened').map(({ data }) => data['tool']);
    expect(new Set(opened)).toEqual(new Set(['read-memory', 'write-memory', 'delete-memory']));
  });

  test('a wrong argument is told in the alias’s words; an alias of an alias there is not', async () => {
    const { call } = await newMemoryBench();
    expect((await call('write_memory', { memory_nam: 'x', content: 'y' })).envelope.error).toMatchObject({
      code: 'invalid_input',
      reason: '"memory_nam" is no argument of write_memory; did you mean "memory_name"?.',
      hint: expect.stringContaining('write_memory takes: memory_name, memory_file_name, content'),
    });
    expect((await call('read_memory', {})).envelope.error?.hint).toContain('memory_name');
    expect((await call('write-memory', { memory_name: 'x', content: 'y' })).envelope.error?.code).toBe('invalid_input');
    expect((await call('write_memory', { memory_name: '../../x', content: 'y' })).envelope.status).toBe('error');
  });

  test('aliases are found by find-tools and listed nowhere', async () => {
    const { call } = await newMemoryBench();
    const { tools } = (await call('find-tools', { query: 'write_memory_Serena' })).envelope.result as {
      tools: { name: string; arguments: { properties: object } }[];
    };
    expect(tools[0]?.name).toMatch(/memory$/);
    const write = tools.find(({ name }) => name === 'write-memory');
    expect(Object.keys(write?.arguments.properties ?? {})).toEqual(
      expect.arrayContaining(['rename', 'links', 'oldText']),
    );
    expect(tools.map(({ name }) => name)).not.toContain('write_memory_Serena');
  });
});
