import { spawn, execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';

import { asHoldpointError } from '../../../src/core/errors.ts';
import type { TestWorkspace } from './workspace.ts';

/** Begins every text outside; what follows is unique to each file. */
const MARK = 'OUTSIDE-';

/** One way to lead a caller out: see race-helper.mjs. */
export interface Exchange {
  how: 'folder' | 'link' | 'hard' | 'pipe' | 'target';
  path: string;
  with: string;
  inside?: string;
}

export interface Operation {
  name: string;
  /** Gives everything that it was given; throws, or gives the `code`, where it was refused. `cycle`: how often all have run. */
  run: (cycle: number) => Promise<unknown>;
}

/** Folders and files outside that are named as those inside are, so that an exchanged folder looks right. */
export function fillOutside(outside: string, paths: readonly string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(join(outside, path)), { recursive: true });
    writeFileSync(join(outside, path), `${MARK}${randomBytes(8).toString('hex')} ${path}\n`);
  }
}

/** Fills a workspace with something to exchange of each kind. */
export function exchangesOf({ at, outside }: TestWorkspace): Exchange[] {
  fillOutside(outside, ['secret.txt', 'sub/deep.txt', 'n/secret.txt', 'new-1.txt']);
  const files = ['d/secret.txt', 'd/sub/deep.txt', 'm/n/secret.txt', 'l-inside/secret.txt', 'f.txt', 'h.txt', 'p.txt'];
  for (const path of files) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), 'inside');
  }
  symlinkSync('l-inside', at('l'));
  execFileSync('mkfifo', [at('pipe')]);
  const secret = join(outside, 'secret.txt');
  return [
    { how: 'link', path: at('f.txt'), with: secret },
    { how: 'hard', path: at('h.txt'), with: secret },
    { how: 'pipe', path: at('p.txt'), with: at('pipe') },
    { how: 'folder', path: at('d'), with: outside },
    { how: 'folder', path: at('m'), with: outside },
    { how: 'target', path: at('l'), with: outside, inside: 'l-inside' },
  ];
}

/**
 * Runs so many operations in turn while another process exchanges entries. Nothing of what is outside may come back or be
 * changed; and each operation must have been let through and refused at least once, or nothing would have been shown.
 *
 * @returns how often each ended how.
 */
export async function race(
  outside: string,
  exchanges: readonly Exchange[],
  operations: readonly Operation[],
  total: number,
) {
  const before = snapshot(outside);
  const helper = spawn(process.execPath, [join(import.meta.dirname, 'race-helper.mjs'), JSON.stringify(exchanges)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void helper.kill());
  await once(helper.stdout, 'data');
  const outcomes: Record<string, Record<string, number>> = {};
  const leaked: string[] = [];
  let naive = 0;
  for (let round = 0; round < total; round++) {
    const operation = operations[round % operations.length];
    if (!operation) break;
    const { code, gave } = await outcomeOf(operation, Math.floor(round / operations.length));
    if (gave.includes(MARK)) leaked.push(`${operation.name}: ${gave.slice(0, 200)}`);
    const counts = (outcomes[operation.name] ??= {});
    counts[code] = (counts[code] ?? 0) + 1;
    if (readsNaively(exchanges[round % exchanges.length]?.path ?? '')) naive++;
  }
  helper.stdin.end();
  const [swaps] = (await once(helper.stdout, 'data')) as [Buffer];
  expect(leaked).toEqual([]);
  expect(snapshot(outside)).toEqual(before);
  // The race was on: entries moved, and who opens by name was led outside.
  expect(Number(swaps)).toBeGreaterThan(total / 20);
  expect(naive).toBeGreaterThan(0);
  return outcomes;
}

async function outcomeOf({ run }: Operation, cycle: number): Promise<{ code: string; gave: string }> {
  try {
    const gave = await run(cycle);
    const code = typeof gave === 'object' && gave && 'code' in gave ? String(gave.code) : 'done';
    return { code, gave: JSON.stringify(gave) };
  } catch (error) {
    const { code, message, hint } = asHoldpointError(error);
    return { code, gave: `${message} ${hint}` };
  }
}

/** Whether opening by name, without any care, would be led outside now. Only that it does not wait at a pipe, which would hold us up. */
function readsNaively(path: string): boolean {
  try {
    const file = lstatSync(path).isDirectory() || !path.endsWith('.txt') ? join(path, 'secret.txt') : path;
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readFileSync(fd, 'utf8').includes(MARK);
    } finally {
      closeSync(fd);
    }
  } catch {
    // In between it has no name.
    return false;
  }
}

/** Every name outside, with kind, permissions and bytes. */
function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => {
      const { mode, size } = lstatSync(join(folder, name));
      const bytes = (mode & 0o170000) === 0o100000 ? readFileSync(join(folder, name)) : '';
      return `${name} ${mode.toString(8)} ${size} ${createHash('sha256').update(bytes).digest('hex')}`;
    })
    .sort();
}
