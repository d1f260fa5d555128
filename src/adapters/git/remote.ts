import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, relative } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import { isRemoteName } from './names.ts';

/**
 * Keys that steer where a connection goes, what it trusts or what it says, or that have git fetch while it pushes. Programs that
 * a key names are not run anyway; these would make a push another one than is shown.
 */
const STEERS =
  /^(?:http\.|url\.|extensions\.partialclone$|remote\..*\.(?:vcs|proxy|proxyauthmethod|receivepack|uploadpack|pushurl|promisor)$)/s;
const HARMLESS = /^http\.(?:postbuffer|version|lowspeedlimit|lowspeedtime|maxrequests)$/;

/** @throws HoldpointError `denied` for a configuration by which a push would not be what it looks like. */
export function refuseSteering(keys: Iterable<string>): void {
  const steering = [...keys].filter((key) => {
    const lower = key.toLowerCase();
    if (HARMLESS.test(lower)) return false;
    // A section of a remote may be named as an address, and then means that address.
    const remote = /^remote\.(.*)\.[^.]+$/s.exec(key)?.[1];
    return STEERS.test(lower) || (remote !== undefined && !isRemoteName(remote));
  });
  if (steering.length === 0) return;
  const named = steering.slice(0, 5).map((key) => JSON.stringify(key.slice(0, 80)));
  throw new HoldpointError('denied', `The repository's configuration steers its connections: ${named.join(', ')}.`, {
    rule: 'programs',
    hint: 'A person takes these keys out of .git/config. Proxies and certificates come from HTTPS_PROXY and GIT_SSL_CAINFO where Holdpoint runs.',
  });
}

interface Address {
  url: string;
  protocol: 'https' | 'http' | 'ssh' | 'file';
  /** Its host, or its path for one of this machine. */
  host: string;
}

/**
 * An address to push to: https, ssh, and folders of this machine outside the workspace (what lies inside has hooks that the
 * agent writes). http on loopback alone, for everybody on the way reads it.
 *
 * @throws HoldpointError `denied`
 */
export async function checkedAddress(url: string, workspace: string): Promise<Address> {
  const refuse = (why: string) =>
    new HoldpointError('denied', `The remote's address ${JSON.stringify(hidePassword(url).slice(0, 200))} ${why}.`, {
      rule: 'programs',
      hint: 'A person sets an https:// or ssh:// address with git remote set-url.',
    });
  if (url.length > 1000 || /^-|[\s\p{C}]/u.test(url)) throw refuse('is none to push to');
  const path = /^(?:file:\/\/)?(\/.*)$/.exec(url)?.[1];
  if (path !== undefined) {
    const real = await realOf(normalize(path));
    if (url !== path && path.includes('%')) throw refuse('has encoded characters');
    if (isInside(await realOf(workspace), real)) throw refuse('lies in the workspace');
    return { url: path, protocol: 'file', host: path };
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    // git's own form of an ssh address, user@host:path. Without a slash it could also be a name under .git/remotes.
    const host = /^(?:[A-Za-z0-9_][\w.-]*@)?([A-Za-z0-9][\w.-]*):(?!:)[^:]*\/[^:]*$/.exec(url)?.[1];
    if (host !== undefined) return { url, protocol: 'ssh', host };
    throw refuse('is none that Holdpoint knows');
  }
  if (!URL.canParse(url)) throw refuse('is none');
  const { hostname, password, username, search } = new URL(url);
  if (!/^(?:[A-Za-z0-9][\w.-]*|\[[\da-f:.]+\])$/i.test(hostname) || username.startsWith('-'))
    throw refuse('names no host');
  // No user's name is as long as a token.
  if (password !== '' || search !== '' || username.length > 39) throw refuse('has a password or token in it');
  if (scheme === 'ssh') return { url, protocol: scheme, host: hostname };
  if (scheme === 'https') return { url, protocol: scheme, host: hostname };
  if (scheme === 'http' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname))
    return { url, protocol: scheme, host: hostname };
  throw refuse(scheme === 'http' ? 'is not encrypted' : 'has a protocol that is not used');
}

function hidePassword(url: string): string {
  return url.replace(/:\/\/[^/@]*@/, '://…@').replace(/\?.*$/, '?…');
}

/** The real path; of what is missing, that of the nearest folder that is there with the rest appended. */
async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realOf(parent), path.slice(parent.length));
  }
}

function isInside(folder: string, path: string): boolean {
  const rest = relative(folder, path);
  return rest === '' || (rest !== '..' && !rest.startsWith('../') && !isAbsolute(rest));
}
