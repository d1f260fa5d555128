import { mkdirSync, statSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Milliseconds after the start until what was compiled is written down: a client may kill the process without warning. */
const WRITE_AFTER = 2000;

/** Where compiled code is kept between starts: code that will run, so the folder must be nobody else's to write. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] ?? homedir(), '.cache'), 'holdpoint');
}

/** Keeps compiled code for the next start; without a folder that is this user's alone, does nothing. */
export function keepCompiled(folder = cacheFolder()): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return;
  } catch {
    return;
  }
  enableCompileCache(folder);
  setTimeout(flushCompileCache, WRITE_AFTER).unref();
}
