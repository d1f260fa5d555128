import { readFile, realpath } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join, resolve, sep } from 'node:path';

import { HoldpointError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { kubeconfigParts } from './contexts.ts';
import type { KubeconfigParts } from './contexts.ts';

/** The keys of clusters and users that name files. */
const FILE_KEYS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile', 'token-file'];

/**
 * The kubeconfig files (one path, or several joined as in KUBECONFIG), read, merged and checked.
 *
 * The agent can write the workspace, so neither a kubeconfig nor anything it names may lie there; a plugin must be an
 * absolute path, for a bare name is looked up in places that may change.
 *
 * @throws HoldpointError `unavailable` where there is none, `denied` where it is refused.
 */
export async function loadKubeconfig(paths: string | undefined, workspace: string): Promise<KubeconfigParts> {
  const files = (paths ?? '').split(delimiter).filter(Boolean);
  const real = await realpath(workspace);
  const texts: string[] = [];
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw absent(`The kubeconfig ${file} cannot be read.`, cause);
    });
    await refuseInside(real, file, 'The kubeconfig');
    const parts = kubeconfigParts(text);
    for (const settings of [...parts.clusters.values(), ...parts.users.values()]) {
      makeAbsolute(settings, dirname(resolve(file)));
    }
    texts.push(JSON.stringify(asDocument(parts)));
  }
  if (texts.length === 0) throw absent('There is no kubeconfig.');
  const parts = kubeconfigParts(...texts);
  for (const [name, cluster] of parts.clusters) await checkFiles(real, cluster, `The cluster ${name}`);
  for (const [name, user] of parts.users) await checkUser(real, user, `The user ${name}`);
  return parts;
}

/** One context of it, as a kubeconfig document of its own for the vendor's loader. */
export function singleContext(parts: KubeconfigParts, name: string): JsonObject {
  const context = parts.contexts.get(name);
  const cluster = typeof context?.cluster === 'string' ? parts.clusters.get(context.cluster) : undefined;
  if (context === undefined || cluster === undefined || typeof cluster.server !== 'string') {
    const known = [...parts.contexts.keys()].slice(0, 20).join(', ');
    throw new HoldpointError('not_found', `The kubeconfig has no usable context ${JSON.stringify(name)}.`, {
      hint: `Known contexts: ${known || 'none'}. After a change of the kubeconfig, restart Holdpoint.`,
    });
  }
  const user = typeof context.user === 'string' ? (parts.users.get(context.user) ?? {}) : {};
  return JSON.parse(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      clusters: [{ name: 'cluster', cluster }],
      users: [{ name: 'user', user }],
      contexts: [{ name, context: { cluster: 'cluster', user: 'user' } }],
    }),
  ) as JsonObject;
}

function asDocument(parts: KubeconfigParts): object {
  const list = (key: string, map: Map<string, object>) => [...map].map(([name, value]) => ({ name, [key]: value }));
  return {
    'current-context': parts.current,
    clusters: list('cluster', parts.clusters),
    users: list('user', parts.users),
    contexts: list('context', parts.contexts),
  };
}

/** Relative paths in a kubeconfig count from its own folder. */
function makeAbsolute(settings: Record<string, unknown>, folder: string): void {
  for (const key of FILE_KEYS) {
    const value = settings[key];
    if (typeof value === 'string' && value !== '' && !isAbsolute(value)) settings[key] = join(folder, value);
  }
}

async function checkUser(workspace: string, user: Record<string, unknown>, whose: string): Promise<void> {
  if (user['auth-provider'] !== undefined && user['auth-provider'] !== null) {
    throw refused(`${whose} of the kubeconfig uses an auth-provider, which Holdpoint does not run.`);
  }
  await checkFiles(workspace, user, whose);
  const exec = user.exec;
  if (exec === undefined || exec === null) return;
  const command = typeof exec === 'object' && 'command' in exec ? exec.command : undefined;
  if (typeof command !== 'string' || !isAbsolute(command)) {
    throw refused(`${whose} of the kubeconfig runs ${JSON.stringify(command)}, which is not an absolute path.`);
  }
  await refuseInside(workspace, command, `The plugin of ${whose.toLowerCase()}`);
}

async function checkFiles(workspace: string, settings: Record<string, unknown>, whose: string): Promise<void> {
  for (const key of FILE_KEYS) {
    const value = settings[key];
    if (typeof value === 'string' && value !== '')
      await refuseInside(workspace, value, `The ${key} of ${whose.toLowerCase()}`);
  }
}

async function refuseInside(workspace: string, path: string, what: string): Promise<void> {
  const real = await realpath(path).catch(() => resolve(path));
  if (real === workspace || real.startsWith(workspace + sep)) {
    throw refused(`${what} lies inside the workspace (${path}), where an agent can write.`);
  }
}

function refused(message: string): HoldpointError {
  return new HoldpointError('denied', message, {
    rule: 'kubeconfig',
    hint: 'The operator has to change the kubeconfig: files outside the workspace, plugins as `exec` with an absolute path.',
  });
}

function absent(message: string, cause?: unknown): HoldpointError {
  return new HoldpointError('unavailable', message, {
    hint: 'The operator sets KUBECONFIG (or kubernetes.kubeconfig in holdpoint.yaml) to a readable file and restarts Holdpoint.',
    cause,
  });
}
