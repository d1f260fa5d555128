import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { TOOL_SCOPES, type Scope } from '../core/scopes.ts';
import { ONE_TOKEN } from './auth.ts';
import type { Config } from './config.ts';

/** A bearer token of this server's own. */
export interface NamedToken {
  /** Who a bearer of it is: the client's name in its principal. */
  name: string;
  value: string;
  scopes: readonly Scope[];
}

/** Whether a person said who may come in; an address that others reach wants that. */
export function tokensConfigured({ httpAuth, auth }: Pick<Config, 'httpAuth' | 'auth'>): boolean {
  return httpAuth.token !== undefined || httpAuth.tokens.length > 0 || auth !== undefined;
}

/** The tokens of HTTP: the configured ones, else one that is made once and kept with the keys, so that clients' settings stay valid. */
export function openTokens(config: Config): NamedToken[] {
  const { token, tokens } = config.httpAuth;
  const given = tokens.map(({ name, token: value, scopes }) => ({ name, value, scopes }));
  if (token !== undefined) given.unshift(one(token));
  return tokensConfigured(config) ? given : [one(madeToken(config.keys))];
}

function one(value: string) {
  return { name: ONE_TOKEN, value, scopes: [...TOOL_SCOPES] };
}

function madeToken(keys: string): string {
  const file = join(keys, 'http-token');
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}
