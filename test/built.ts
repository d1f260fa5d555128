import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from './harness.ts';

const MADE_OF = ['src', 'scripts', 'personas', 'policies', 'skills', 'package.json', 'pnpm-lock.yaml'];

/** Before tests that run Holdpoint as it is published: builds it where the build is older than what it is made of. */
export default function build(): void {
  const built = changed('dist/main.js');
  if (MADE_OF.some((path) => changed(path) >= built))
    execFileSync(process.execPath, [join(ROOT, 'scripts/build.ts')], { cwd: ROOT, stdio: 'inherit' });
}

/** When something in there was written, added or removed last; 0 where there is nothing. */
function changed(path: string): number {
  const at = join(ROOT, path);
  const within = (name: string) => statSync(join(at, name)).mtimeMs;
  const facts = statSync(at, { throwIfNoEntry: false });
  if (!facts?.isDirectory()) return facts?.mtimeMs ?? 0;
  return Math.max(facts.mtimeMs, ...readdirSync(at, { recursive: true, encoding: 'utf8' }).map(within));
}
