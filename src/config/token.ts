import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Config } from './config.ts';

/** The HTTP bearer token: the configured one, else one that is made once and kept with the keys, so that clients' settings stay valid. */
export function openToken(config: Config): string {
  if (config.httpAuth.token) return config.httpAuth.token;
  const file = join(config.keys, 'http-token');
  mkdirSync(config.keys, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}
