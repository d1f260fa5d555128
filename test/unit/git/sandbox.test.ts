import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';

import { newFolder, put } from '../processes/kit.ts';
import { WORKS } from '../processes/sandbox-kit.ts';
import { newGitBench } from './kit.ts';

/** A folder with a bwrap that writes down what it is started with and starts the real one. */
function recordingBwrap(): { folder: string; started: () => string[] } {
  const folder = newFolder();
  const record = join(folder, 'record');
  put(folder, 'bwrap', `#!/bin/sh\nprintf '%s\\n' "$*" >> '${record}'\nexec /usr/bin/bwrap "$@"\n`, 0o755);
  return {
    folder,
    started: () => (existsSync(record) ? readFileSync(record, 'utf8').split('\n').filter(Boolean) : []),
  };
}

test.skipIf(!WORKS)(
  'the git tool works in the sandbox, without a network; only what talks to the remote is outside (E6)',
  async () => {
    const { folder, started } = recordingBwrap();
    const state = newFolder();
    const bench = await newGitBench({
      environment: { PATH: [folder, process.env['PATH'] ?? ''].join(delimiter) },
      sandbox: { mode: 'required', hidden: [state], fixed: [], readable: {} },
    });
    await bench.result({ action: 'branch', name: 'feature/cache' });
    bench.write('docker/Dockerfile', 'FROM scratch\nLABEL a=b\n');
    await bench.result({ action: 'commit', message: 'Label it', paths: ['docker/Dockerfile'] });
    expect(await bench.result({ action: 'push' })).toMatchObject({ pushed: { commits: 1 } });
    expect(bench.git('--git-dir', bench.origin, 'log', '-1', '--format=%s', 'feature/cache').trim()).toBe('Label it');

    const git = started().filter((line) => / -- \S*git /.test(line));
    for (const word of ['commit-tree', 'switch', 'config']) expect(git.join('\n')).toContain(` ${word} `);
    expect(git.filter((line) => !line.includes('--unshare-net'))).toEqual([]);
    expect(git.filter((line) => / (?:push|ls-remote) /.test(line))).toEqual([]);
  },
);
