import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const MODULE = resolve(import.meta.dirname, '../../../src/config/compile-cache.ts');

function kept(prepare: (folder: string) => void): string[] {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-cache-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'cache/holdpoint');
  prepare(folder);
  const script = `const { keepCompiled } = await import(${JSON.stringify(MODULE)}); keepCompiled(); await import('zod');`;
  execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    env: { HOME: root, XDG_CACHE_HOME: join(root, 'cache') },
  });
  return readdirSync(folder);
}

test('compiled code is kept for the next start, in a folder of this user alone', () => {
  expect(
    kept((folder) => {
      process.umask(0o022);
      expect(() => statSync(folder)).toThrow();
    }),
  ).toHaveLength(1);
});

test('nothing is taken from or put into a folder that others can write to', () => {
  expect(
    kept((folder) => {
      mkdirSync(folder, { recursive: true });
      chmodSync(folder, 0o777);
    }),
  ).toEqual([]);
});
