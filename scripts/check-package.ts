/** Packs the package, has its entries checked, installs it in an empty folder as others would, and runs its demo from there. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Are the types wrong? A command has none to be wrong about, but what can be imported must resolve. */
const ATTW = '@arethetypeswrong/cli@0.18.5';
const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'holdpoint-package-'));
const run = (command: string, args: string[], cwd: string) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
try {
  run('npx', ['-y', 'pnpm@12', 'pack', '--pack-destination', folder], root);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  if (!tarball) throw new Error('pnpm pack left no tarball');
  const attw = run('npx', ['-y', ATTW, join(folder, tarball)], folder);
  if (!attw.includes('No problems found')) throw new Error(attw);
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', join(folder, tarball)], folder);
  const installed = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
  if (installed.join() !== 'holdpoint') throw new Error(`the package brings others along: ${installed.join(', ')}`);
  // Through this Node: the machine's own may be too old.
  const told = run(process.execPath, ['node_modules/holdpoint/dist/main.js', 'demo'], folder);
  if (!told.includes('the audit log verifies')) throw new Error(`the installed demo did not come to its end:\n${told}`);
  console.log(`${tarball}: installed and run`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
