import { lstat, readlink, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';

import { isInside } from './executable.ts';

/** What one program sees and may do in its sandbox; everything else of this machine is not there. Paths are absolute. */
export interface View {
  workspace: string;
  /** All that is there of the workspace, to read; the whole where absent. */
  sees?: readonly string[] | undefined;
  /** Whether the workspace may be written. */
  writes: boolean;
  /** Whether this machine's network is there; without it not even loopback's listeners are. */
  network: boolean;
  /** The program's own folder, writable. */
  private: string;
  /** Where it runs: a folder of one of the two. */
  cwd: string;
  /** Further files and folders to read; missing ones are passed over. */
  readable: readonly string[];
  /** As `readable`, and written where the workspace is. */
  shared: readonly string[];
  /** Seen as empty folders, whatever they lie in. */
  hidden: readonly string[];
  /** Never written where they lie in the workspace. */
  fixed: readonly string[];
}

/** Folders of the system: programs, their libraries and data. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];

/** Of /etc only what programs need to find libraries, hosts, users and certificates. */
const ETC = [
  'alternatives',
  'ca-certificates',
  'crypto-policies',
  'gai.conf',
  'group',
  'host.conf',
  'hosts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'nsswitch.conf',
  'passwd',
  'pki/ca-trust/extracted',
  'pki/tls/certs',
  'protocols',
  'resolv.conf',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
];

/** Bytes that a folder in memory holds: the watch on memory does not see them. */
const TMPFS = String(64 * 1024 * 1024);

/** Where a program is called by its own name when its file has another. */
export const CALLED = '/run/holdpoint';

/** Namespaces, capabilities, and how it ends. `user` is how a user namespace is asked for. */
export function walls(user: readonly string[], network: boolean): string[] {
  return [
    ...user,
    '--unshare-ipc',
    '--unshare-pid',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...(network ? [] : ['--unshare-net']),
    '--die-with-parent',
    '--new-session',
    '--cap-drop',
    'ALL',
  ];
}

/** The system's folders, read-only, with new /proc, /dev and /tmp. */
export async function systemFolders(): Promise<string[]> {
  const folders = await Promise.all(
    SYSTEM.map(async (path) => {
      const found = await lstat(path).catch(() => undefined);
      if (found?.isSymbolicLink()) return ['--symlink', await readlink(path), path];
      return found?.isDirectory() ? ['--ro-bind', path, path] : [];
    }),
  );
  return [
    ...folders.flat(),
    ...ETC.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    ...memory('/dev/shm'),
    '--remount-ro',
    '/dev',
    ...memory('/tmp'),
  ];
}

/** What a view adds to the system's folders. Later ones lie over earlier ones. */
export async function foldersOf(view: View): Promise<string[]> {
  const { workspace, writes, cwd, fixed } = view;
  const hidden = (await realPaths(view.hidden)).map(({ real }) => real);
  const shown = async (paths: readonly string[]) =>
    (await realPaths(paths)).filter(({ real }) => !hidden.some((folder) => isInside(folder, real)));
  const [readable, shared] = [await shown(view.readable), await shown(view.shared)];
  const masks = [{ path: '/usr', real: '/usr' }, ...readable, ...shared].flatMap(({ path, real }) =>
    hidden.filter((folder) => isInside(real, folder)).map((folder) => join(path, relative(real, folder))),
  );
  const kept = (await realPaths(fixed)).filter(({ real }) => real !== workspace && isInside(workspace, real));
  const bind = writes ? '--bind' : '--ro-bind';
  return [
    ...readable.flatMap(({ path }) => ['--ro-bind-try', path, path]),
    ...shared.flatMap(({ path }) => [`${bind}-try`, path, path]),
    ...masks.flatMap((path) => [...memory(path), '--remount-ro', path]),
    '--bind',
    view.private,
    view.private,
    ...(view.sees
      ? [
          ...memory(workspace),
          '--dir',
          cwd,
          ...view.sees.flatMap((path) => ['--ro-bind-try', path, path]),
          '--remount-ro',
          workspace,
        ]
      : [bind, workspace, workspace, ...kept.flatMap(({ real }) => ['--ro-bind', real, real])]),
    '--remount-ro',
    '/',
    '--chdir',
    cwd,
  ];
}

/** A folder in memory. */
function memory(path: string): string[] {
  return ['--size', TMPFS, '--tmpfs', path];
}

/** Of what is there, the path as it is named and as it really is. */
async function realPaths(paths: readonly string[]): Promise<{ path: string; real: string }[]> {
  const looked = await Promise.all(
    paths.map((path) =>
      realpath(path).then(
        (real) => [{ path, real }],
        () => [],
      ),
    ),
  );
  return looked.flat();
}
