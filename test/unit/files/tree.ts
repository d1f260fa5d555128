import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { newWorkspace, type TestWorkspace } from './workspace.ts';
import type { Reach } from '../../../src/adapters/files/descriptors.ts';

const LONG = 'n'.repeat(255);

/** Files by their path from the workspace, in NFC; each holds its own path. */
const FILES = [
  'a/f.txt', 'A/f.txt', '.env', 'secrets/.env', 'secrets/key', '.git/config', 'a:b', `a/${LONG}`, 'café/nfd.txt', 'é.txt', '-outside/secret.txt', 'deep/er/and/down.txt',
]; // prettier-ignore
/** As the disk spells them, where that is not NFC. */
const ON_DISK: Record<string, string> = { 'café/nfd.txt': 'cafe\u0301/nfd.txt' };

/** Links by their path, with their text and where that leads from the workspace; undefined: nowhere that may be used. */
const LINKS: Record<string, (at: TestWorkspace) => readonly [text: string, to: string | undefined]> = {
  in: () => ['a', 'a'],
  'in-again': () => ['./in//', 'a'],
  'a/up': () => ['..', '.'],
  'a/self': () => ['.', 'a'],
  'deep/link': () => ['../in/up/secrets', 'secrets'],
  abs: ({ dir }) => [join(realpathSync(dir), 'secrets'), 'secrets'],
  'abs-root': ({ dir }) => [realpathSync(dir), '.'],
  'to-file': () => ['a/f.txt', 'a/f.txt'],
  'to-nfd': () => ['cafe\u0301', 'café'],
  out: () => ['../work-outside', undefined],
  'out-abs': ({ outside }) => [outside, undefined],
  'a/out': () => ['../../work-outside/secret.txt', undefined],
  around: () => ['../work/a', undefined],
  dangling: () => ['nowhere', undefined],
  'dangling-out': () => ['../work-outside/new.txt', undefined],
  loop: () => ['loop', undefined],
  root: () => ['/', undefined],
  proc: () => ['/proc/self/root', undefined],
  cwd: () => ['/proc/self/cwd', undefined],
  fd: () => ['/dev/fd/0', undefined],
  'to-odd': () => ['a/line\nbreak', undefined],
  'to-hard': () => ['hard', undefined],
};
/** No links, and refused all the same. */
const REFUSED = ['hard', 'hard-in', 'secrets/copy', 'pipe', 'ệ'];

export const NAMES = [...FILES, ...Object.keys(LINKS), ...REFUSED].flatMap((path) => [path, ...path.split('/')]);

/** A small tree with everything that a path can lead to. */
export function newTree(reach: Reach): TestWorkspace {
  const workspace = newWorkspace({}, { reach });
  const { at, outside } = workspace;
  for (const path of [...FILES, 'ẹ\u0302', 'e\u0302\u0323', 'e\u0301.txt', 'a/line\nbreak']) {
    const onDisk = ON_DISK[path] ?? path;
    mkdirSync(dirname(at(onDisk)), { recursive: true });
    writeFileSync(at(onDisk), path);
  }
  for (const [path, leads] of Object.entries(LINKS)) symlinkSync(leads(workspace)[0], at(path));
  linkSync(join(outside, 'secret.txt'), at('hard'));
  linkSync(join(outside, 'secret.txt'), at('secrets/copy'));
  writeFileSync(join(outside, 'other.txt'), 'also outside');
  linkSync(join(outside, 'other.txt'), at('hard-in'));
  execFileSync('mkfifo', [at('pipe')]);
  return workspace;
}

export interface Found {
  real: string;
  type: 'file' | 'folder' | 'missing';
}

/**
 * Where a path of `workspacePath` leads in that tree, read off the tables above: each name that is a link is replaced by what
 * it leads to. Undefined: refused.
 */
export function leadsTo(path: string, workspace: TestWorkspace): Found | undefined {
  const folders = new Set(
    FILES.flatMap((file) => file.split('/').map((_, index, names) => names.slice(0, index).join('/'))),
  );
  let at = '';
  const names = path === '.' ? [] : path.split('/');
  for (const [index, name] of names.entries()) {
    if (FILES.includes(at)) return undefined;
    const next = at === '' ? name : `${at}/${name}`;
    if (REFUSED.includes(next)) return undefined;
    const link = LINKS[next]?.(workspace);
    if (link) {
      if (link[1] === undefined) return undefined;
      at = link[1] === '.' ? '' : link[1];
    } else if (folders.has(next) || FILES.includes(next)) at = next;
    else return missing([at, ...names.slice(index)].filter(Boolean).join('/'));
  }
  return { real: at || '.', type: FILES.includes(at) ? 'file' : 'folder' };
}

/** Where nothing is; refused where it could not be asked for by itself (found by the nightly form: `a/up/~root`). */
function missing(real: string): Found | undefined {
  return real.startsWith('~') || real.length > 4096 ? undefined : { real, type: 'missing' };
}
