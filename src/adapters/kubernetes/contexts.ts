import { parse } from 'yaml';

import { HoldpointError } from '../../core/errors.ts';
import type { KubeContext, KubernetesFacts } from '../../core/facts.ts';

/** What Holdpoint reads of a kubeconfig: the parts by name. Values stay untyped; what uses one checks it. */
export interface KubeconfigParts {
  current?: string;
  clusters: Map<string, Record<string, unknown>>;
  users: Map<string, Record<string, unknown>>;
  contexts: Map<string, Record<string, unknown>>;
}

/**
 * The names of a kubeconfig: contexts with their clusters and namespaces, nothing secret. Several texts merge as kubectl
 * merges the files of KUBECONFIG: of two things with one name the first wins.
 *
 * @throws HoldpointError `invalid_input` for what is no kubeconfig.
 */
export function readKubeContexts(...texts: string[]): KubernetesFacts {
  const parts = kubeconfigParts(...texts);
  const contexts: Record<string, KubeContext> = Object.create(null) as Record<string, KubeContext>;
  for (const [name, context] of parts.contexts) {
    if (typeof context.cluster !== 'string') continue;
    const namespace = typeof context.namespace === 'string' && context.namespace !== '' ? context.namespace : 'default';
    contexts[name] = { cluster: context.cluster, namespace };
  }
  return parts.current !== undefined && parts.current in contexts ? { current: parts.current, contexts } : { contexts };
}

export function kubeconfigParts(...texts: string[]): KubeconfigParts {
  const parts: KubeconfigParts = { clusters: new Map(), users: new Map(), contexts: new Map() };
  for (const text of texts) {
    const config = parsed(text);
    if (config === null) continue;
    const current = config['current-context'];
    if (parts.current === undefined && typeof current === 'string' && current !== '') parts.current = current;
    collect(config.clusters, 'cluster', parts.clusters);
    collect(config.users, 'user', parts.users);
    collect(config.contexts, 'context', parts.contexts);
  }
  return parts;
}

function parsed(text: string): Record<string, unknown> | null {
  let config: unknown;
  try {
    config = parse(text, { maxAliasCount: 20 });
  } catch (cause) {
    throw notKubeconfig('is not valid YAML', cause);
  }
  if (config === null || config === undefined) return null;
  if (!isRecord(config)) throw notKubeconfig('holds no mapping');
  return config;
}

function collect(list: unknown, key: string, into: Map<string, Record<string, unknown>>): void {
  if (!Array.isArray(list)) return;
  for (const entry of list) {
    if (!isRecord(entry) || typeof entry.name !== 'string' || into.has(entry.name)) continue;
    const value = entry[key];
    into.set(entry.name, isRecord(value) ? value : {});
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notKubeconfig(why: string, cause?: unknown): HoldpointError {
  return new HoldpointError('invalid_input', `The kubeconfig ${why}.`, {
    hint: 'Set KUBECONFIG to a kubeconfig file; `kubectl config view` shows whether one can be read.',
    cause,
  });
}
