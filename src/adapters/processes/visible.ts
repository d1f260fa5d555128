import { access, readFile } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, resolve } from 'node:path';

import type { ProgramGrammar } from '../../core/programs.ts';
import type { Executable } from './port.ts';

/** Where the local Engine listens when nothing says otherwise. */
const DOCKER_SOCKET = '/var/run/docker.sock';

/** Programs that are a folder: `/opt/NAME`, and stores in which one part needs others. */
const INSTALLATIONS = /^(?:\/opt\/[^/]+|\/nix\/store|\/gnu\/store)(?=\/)/;

/**
 * What a program may read outside the workspace and the system's folders: its own file, and what the variables named by its
 * grammar lead to: a kubeconfig with the files it names, certificates, the Engine's socket.
 *
 * @param environment what the program gets.
 * @param network whether this launch acts elsewhere: one that does not needs no credentials for it.
 * @returns absolute paths of what is there: a secret that only looks like a path must not come into a command line.
 */
export async function visibleTo(
  grammar: ProgramGrammar,
  executable: Executable,
  environment: Readonly<Record<string, string>>,
  network: boolean,
): Promise<string[]> {
  const own = INSTALLATIONS.exec(executable.path)?.[0] ?? executable.path;
  const always = [own, ...(grammar.readable ?? [])];
  if (grammar.acts !== 'local' && !network) return present(always);
  const paths = grammar.environment.flatMap((name) => pathsIn(environment[name] ?? ''));
  const socket = grammar.acts === 'docker' && environment['DOCKER_HOST'] === undefined ? [DOCKER_SOCKET] : [];
  const kubeconfigs = pathsIn(grammar.environment.includes('KUBECONFIG') ? (environment['KUBECONFIG'] ?? '') : '');
  const named = await Promise.all(kubeconfigs.map(namedBy));
  return present([...always, ...paths, ...socket, ...named.flat()]);
}

async function present(paths: readonly string[]): Promise<string[]> {
  const looked = await Promise.all(
    [...new Set(paths)].map((path) =>
      access(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return looked.flat();
}

function pathsIn(value: string): string[] {
  const local = value.replace(/^unix:\/\//, '');
  if (local.includes('://')) return [];
  return local.split(delimiter).filter((part) => isAbsolute(part) && resolve(part) !== '/');
}

const NAMED =
  /"?\b(?:certificate-authority|client-certificate|client-key|tokenFile|command)"?\s*:\s*["']?([^"'\n,}]+)/g;

/** The files that a kubeconfig, which is the operator's, names: certificates, keys, and credential plugins by their path. */
async function namedBy(kubeconfig: string): Promise<string[]> {
  const text = await readFile(kubeconfig, 'utf8').catch(() => '');
  const written = [...text.matchAll(NAMED)].map((match) => (match[1] ?? '').trim());
  return written.filter((path) => path.includes('/')).map((path) => resolve(dirname(kubeconfig), path));
}
