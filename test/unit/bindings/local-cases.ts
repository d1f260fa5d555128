import { chmodSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

import { createMemory } from '../../../src/adapters/memory/client.ts';
import { createProcesses } from '../../../src/adapters/processes/client.ts';
import { createFakeProcesses } from '../../../src/adapters/processes/fake.ts';
import { createWorkflow } from '../../../src/adapters/workflow/client.ts';
import { WORKFLOW } from '../../../src/config/locations.ts';
import { principalId } from '../../../src/core/principal.ts';
import { newGitBench } from '../git/kit.ts';
import { newFolder, PROGRAMS as GRAMMARS, put } from '../processes/kit.ts';
import { PRINCIPAL } from '../server/services.ts';
import { newWorkspace } from '../files/workspace.ts';
import { heldBench, holding, type Case } from './world.ts';

const DOCKERFILE = 'docker/Dockerfile';

async function files() {
  const { files: port, at } = newWorkspace({ [DOCKERFILE]: 'FROM a\n', 'other.txt': 'other\n', 'gone.txt': 'gone\n' });
  const bench = await heldBench({ files: port });
  /** The same bytes in another file of the same name. */
  const exchange = (path: string) => () => {
    writeFileSync(at('copy'), readFileSync(at(path)));
    renameSync(at('copy'), at(path));
  };
  return {
    bench,
    at,
    moves: (path: string) => ({
      'its bytes': () => writeFileSync(at(path), 'FROM b\n'),
      'its inode': exchange(path),
      'its being there': () => rmSync(at(path)),
      'what its name leads to': () => {
        renameSync(at(path), at('moved'));
        symlinkSync(at('moved'), at(path));
      },
    }),
    still: (path: string) => ({
      'its times': () => utimesSync(at(path), 1, 1),
      'another file': () => writeFileSync(at('other.txt'), 'changed\n'),
    }),
  };
}

const FILE_MOVES = ['its bytes', 'its inode', 'its being there', 'what its name leads to'];
const FILE_STILL = ['its times', 'another file'];

const FILES: Case[] = [
  {
    tool: 'save-file',
    what: 'a file that is there',
    relies: [/^file:docker\/Dockerfile$/],
    moves: FILE_MOVES,
    still: FILE_STILL,
    make: async () => {
      const { bench, moves, still } = await files();
      return {
        bench,
        args: { path: DOCKERFILE, content: 'FROM c\n' },
        moves: moves(DOCKERFILE),
        still: still(DOCKERFILE),
      };
    },
  },
  {
    tool: 'save-file',
    what: 'a new file',
    relies: [/^file:docker\/new$/],
    moves: ['its being there', 'its folder'],
    still: ['another file'],
    make: async () => {
      const { bench, at, still } = await files();
      return {
        bench,
        args: { path: 'docker/new', content: 'x' },
        moves: {
          'its being there': () => writeFileSync(at('docker/new'), 'y'),
          'its folder': () => {
            renameSync(at('docker'), at('elsewhere'));
            symlinkSync(at('elsewhere'), at('docker'));
          },
        },
        still: { 'another file': still(DOCKERFILE)['another file'] },
      };
    },
  },
  {
    tool: 'str-replace-editor',
    what: 'an edit',
    relies: [/^file:docker\/Dockerfile$/],
    moves: FILE_MOVES,
    still: FILE_STILL,
    make: async () => {
      const { bench, moves, still } = await files();
      const args = { path: DOCKERFILE, oldText: 'FROM', newText: 'FROM --platform=linux/amd64' };
      return { bench, args, moves: moves(DOCKERFILE), still: still(DOCKERFILE) };
    },
  },
  {
    tool: 'remove-files',
    what: 'two files',
    relies: [/^file:docker\/Dockerfile$/, /^file:gone\.txt$/],
    moves: FILE_MOVES,
    still: FILE_STILL,
    make: async () => {
      const { bench, moves, still } = await files();
      return { bench, args: { paths: [DOCKERFILE, 'gone.txt'] }, moves: moves('gone.txt'), still: still(DOCKERFILE) };
    },
  },
];

const MEMORY = 'docs/memory/plan.md';

async function memories() {
  const { files: port, at } = newWorkspace({
    [MEMORY]: '# Plan\n',
    'docs/memory/other.md': '# Other\n',
    'other.txt': 'other\n',
  });
  const bench = await heldBench({ files: port, memory: createMemory({ list: async () => [] }) });
  const exchange = () => {
    writeFileSync(at('copy'), readFileSync(at(MEMORY)));
    renameSync(at('copy'), at(MEMORY));
  };
  return {
    bench,
    moves: {
      'its bytes': () => writeFileSync(at(MEMORY), '# Another plan\n'),
      'its inode': exchange,
      'its being there': () => rmSync(at(MEMORY)),
    },
    still: {
      'its times': () => utimesSync(at(MEMORY), 1, 1),
      'another memory': () => writeFileSync(at('docs/memory/other.md'), '# Changed\n'),
    },
  };
}

const MEMORIES: Case[] = [
  {
    tool: 'write-memory',
    what: 'an edit of a memory',
    relies: [/^file:docs\/memory\/plan\.md$/],
    moves: ['its bytes', 'its inode', 'its being there'],
    still: ['its times', 'another memory'],
    make: async () => ({ ...(await memories()), args: { name: 'plan', oldText: 'Plan', newText: 'The plan' } }),
  },
  {
    tool: 'delete-memory',
    what: 'a memory',
    relies: [/^file:docs\/memory\/plan\.md$/],
    moves: ['its bytes', 'its inode', 'its being there'],
    still: ['its times', 'another memory'],
    make: async () => ({ ...(await memories()), args: { name: 'plan' } }),
  },
];

const STATE = 'docs/workflow/state.json';
const INPUTS = ['INFRA01-requirements', 'INFRA02-compute-needs', 'INFRA03-storage-needs'].map(
  (name) => `docs/workflow/artifacts/${name}.md`,
);

const FLOW: Case = {
  tool: 'workflow',
  what: 'the start of a node',
  relies: [/^file:docs\/workflow\/state\.json$/, ...INPUTS.map((path) => new RegExp(`^file:${path}$`))],
  moves: ['its state', 'an input', 'an input’s being there'],
  still: ['another artifact'],
  make: async () => {
    const text = '# What is needed\n\nTwo replicas of the service, and 20 GB for its data, in every environment.\n';
    const { files: port, at } = newWorkspace(Object.fromEntries(INPUTS.map((path) => [path, text])));
    const workflow = createWorkflow(WORKFLOW, (work) => work());
    const records = { runs: async () => [], decisions: async () => [] };
    return {
      bench: await heldBench({ files: port, workflow, records }),
      args: { action: 'start', node: 'Environment_Design' },
      moves: {
        'its state': () => writeFileSync(at(STATE), '{}\n'),
        'an input': () => writeFileSync(at(INPUTS[1] ?? ''), text.replace('Two', 'Three')),
        'an input’s being there': () => rmSync(at(INPUTS[2] ?? '')),
      },
      still: { 'another artifact': () => writeFileSync(at('docs/workflow/artifacts/notes.md'), 'a note\n') },
    };
  },
};

/** Programs of a test's own, before those of the machine. */
async function programs() {
  const {
    dir,
    files: port,
    at,
  } = newWorkspace({
    'chart/a.sql': 'a',
    'chart/b.sql': 'b',
    'manifest.yaml': 'kind: Deployment\n',
    'other.txt': 'x',
  });
  const bin = newFolder();
  const script = '#!/bin/sh\necho "$@"\n';
  const write = (name: string, text = script) => put(bin, name, text, 0o755);
  for (const name of ['sqlx', 'kubectl']) write(name);
  const processes = createProcesses({
    workspace: dir,
    environment: { PATH: `${bin}:${process.env['PATH']}`, DATABASE_URL: 'postgres://x' },
    limits: { graceMs: 300 },
  });
  onTestFinished(() => processes.close());
  const contexts = { only: { cluster: 'only', namespace: 'prod' } };
  const bench = await heldBench({ processes, files: port }, { kubernetes: { current: 'only', contexts } });
  return { bench, at, bin, write };
}

const PROGRAMS: Case[] = [
  {
    tool: 'launch-process',
    what: 'a program that takes a folder elsewhere',
    relies: [/^program:sqlx$/, /^sandbox$/, /^tree:chart$/],
    moves: ['the program', 'a file of the folder', 'a file more', 'a file less', 'a file’s name'],
    still: ['a file beside it', 'another program', 'the times of a file'],
    make: async () => {
      const { bench, at, write } = await programs();
      return {
        bench,
        args: { program: 'sqlx', args: ['migrate', 'info', '--source', 'chart'], waitSeconds: 20 },
        moves: {
          'the program': () => write('sqlx', '#!/bin/sh\necho other\n'),
          'a file of the folder': () => writeFileSync(at('chart/a.sql'), 'changed'),
          'a file more': () => writeFileSync(at('chart/c.sql'), 'c'),
          'a file less': () => rmSync(at('chart/b.sql')),
          'a file’s name': () => renameSync(at('chart/b.sql'), at('chart/z.sql')),
        },
        still: {
          'a file beside it': () => writeFileSync(at('other.txt'), 'changed'),
          'another program': () => write('kubectl', '#!/bin/sh\necho other\n'),
          'the times of a file': () => utimesSync(at('chart/a.sql'), 1, 1),
        },
      };
    },
  },
  {
    tool: 'launch-process',
    what: 'a program that only looks elsewhere',
    relies: [/^program:kubectl$/, /^sandbox$/],
    moves: ['the program', 'which program its name finds'],
    still: ['a file', 'another program'],
    make: async () => {
      const { bench, at, bin, write } = await programs();
      return {
        bench,
        args: { program: 'kubectl', args: ['get', 'pods'], waitSeconds: 20 },
        moves: {
          'the program': () => write('kubectl', '#!/bin/sh\necho other\n'),
          'which program its name finds': () => {
            renameSync(join(bin, 'kubectl'), join(bin, 'kubectl-1'));
            symlinkSync(join(bin, 'sqlx'), join(bin, 'kubectl'));
          },
        },
        still: {
          'a file': () => writeFileSync(at('manifest.yaml'), 'changed'),
          'another program': () => write('sqlx', '#!/bin/sh\necho other\n'),
        },
      };
    },
  },
  {
    tool: 'read-process',
    what: 'the end of a process',
    relies: [/^process:prc_/],
    moves: ['its end'],
    still: ['its output', 'another process'],
    make: async () => {
      const { files: port } = newWorkspace();
      const { port: processes } = createFakeProcesses(() => ({ output: 'line\n', endless: true }));
      const bench = await heldBench({ processes, files: port });
      const grammar = GRAMMARS['git'];
      if (!grammar) throw new Error('no grammar of git');
      const { executable } = await processes.examine(grammar);
      const start = (owner: string) => processes.start({ grammar, executable, argv: ['log'], cwd: '.' }, owner);
      const owner = principalId(PRINCIPAL);
      const id = await start(owner);
      return {
        bench,
        args: { id, kill: true },
        moves: { 'its end': () => processes.kill(id, owner) },
        still: {
          'its output': () => processes.read(id, owner, { waitMs: 0, maxBytes: 1000 }),
          'another process': () => start(owner),
        },
      };
    },
  },
];

async function repository() {
  const bench = holding(await newGitBench());
  const commit = (branch = 'main') => {
    if (branch !== 'main') bench.git('switch', '-q', '-c', branch);
    bench.write('a.txt', `${Math.random()}\n`);
    bench.git('commit', '-qam', 'more');
  };
  return { bench, commit };
}

const GIT: Case[] = [
  {
    tool: 'git',
    what: 'a commit',
    relies: [/^branch$/, /^head$/, /^file:a\.txt$/],
    moves: ['the file', 'its mode', 'the branch', 'the last commit'],
    still: ['another file', 'a tag'],
    make: async () => {
      const { bench } = await repository();
      bench.write('a.txt', 'changed\n');
      return {
        bench,
        args: { action: 'commit', message: 'Change a', paths: ['a.txt'] },
        moves: {
          'the file': () => bench.write('a.txt', 'changed again\n'),
          'its mode': () => chmodSync(join(bench.dir, 'a.txt'), 0o755),
          'the branch': () => bench.git('switch', '-q', '-c', 'other'),
          'the last commit': () => bench.git('commit', '-q', '--allow-empty', '-m', 'more'),
        },
        still: {
          'another file': () => bench.write('docker/Dockerfile', 'FROM b\n'),
          'a tag': () => bench.git('tag', 'x'),
        },
      };
    },
  },
  {
    tool: 'git',
    what: 'a push',
    relies: [/^remote$/, /^commit$/, /^was$/],
    moves: ['the branch on the remote', 'the branch here', 'the address'],
    still: ['another branch', 'the working tree'],
    make: async () => {
      const { bench, commit } = await repository();
      const other = join(bench.origin, '../other.git');
      bench.git('clone', '-q', '--bare', bench.origin, other);
      commit();
      return {
        bench,
        args: { action: 'push', name: 'main' },
        moves: {
          'the branch on the remote': () => bench.colleague('main'),
          'the branch here': () => commit(),
          'the address': () => bench.git('remote', 'set-url', 'origin', other),
        },
        still: {
          'another branch': () => bench.colleague('feature/other'),
          'the working tree': () => bench.write('a.txt', 'not committed\n'),
        },
      };
    },
  },
  {
    tool: 'git',
    what: 'a tag',
    relies: [/^commit$/],
    moves: ['the commit', 'the tag’s being there'],
    still: ['the working tree', 'another tag'],
    make: async () => {
      const { bench, commit } = await repository();
      return {
        bench,
        args: { action: 'tag', name: 'v1.0.0', ref: 'main' },
        moves: { 'the commit': () => commit(), 'the tag’s being there': () => bench.git('tag', 'v1.0.0') },
        still: {
          'the working tree': () => bench.write('a.txt', 'x\n'),
          'another tag': () => bench.git('tag', 'v0.9.0'),
        },
      };
    },
  },
  {
    tool: 'git',
    what: 'a branch',
    relies: [/^head$/, /^branch:feature\/x$/, /^commit$/],
    moves: ['what is checked out', 'the branch’s being there'],
    still: ['a new file', 'a tag'],
    make: async () => {
      const { bench, commit } = await repository();
      return {
        bench,
        args: { action: 'branch', name: 'feature/x' },
        moves: {
          'what is checked out': () => commit(),
          'the branch’s being there': () => bench.git('branch', 'feature/x'),
        },
        still: { 'a new file': () => bench.write('new.txt', 'x\n'), 'a tag': () => bench.git('tag', 'x') },
      };
    },
  },
];

export const LOCAL_CASES: readonly Case[] = [...FILES, ...MEMORIES, FLOW, ...PROGRAMS, ...GIT];
