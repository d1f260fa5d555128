import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

import { readKubeContexts } from '../adapters/kubernetes/contexts.ts';
import { loadKubeconfig } from '../adapters/kubernetes/kubeconfig.ts';
import type { Facts } from '../core/facts.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Config } from './config.ts';
import { prepared } from './prepared.ts';

/** What tools may know of this machine without touching anything: names of contexts, where Docker is, the known programs. */
export async function readFacts(config: Config): Promise<Facts> {
  const [kubernetes, programs, repository] = await Promise.all([
    readKubernetes(config.kubernetes.kubeconfig, config.workspace),
    prepared.programs ?? import('./programs.ts').then(({ loadPrograms }) => loadPrograms()),
    config.github.repository ?? originOf(config),
  ]);
  return {
    kubernetes,
    docker: { host: dockerHost(config.docker.host) },
    github: repository === undefined ? {} : { repository },
    monitoring: Object.fromEntries(
      Object.entries(config.monitoring).flatMap(([name, system]) =>
        system === undefined ? [] : [[name, new URL(system.url).hostname]],
      ),
    ),
    ...(config.tasks.url === undefined ? {} : { tasks: { host: new URL(config.tasks.url).hostname } }),
    programs,
  };
}

/** `owner/name` of the workspace's `origin`, where that lies on the configured GitHub. */
async function originOf({ workspace, github }: Config): Promise<string | undefined> {
  const text = await readFile(join(workspace, '.git/config'), 'utf8').catch(() => '');
  const origin = /^\[remote "origin"\][^[]*?^\s*url\s*=\s*(\S+)\s*$/m.exec(text)?.[1] ?? '';
  const match = /^(?:https?:\/\/|ssh:\/\/)?(?:[^@/]+@)?([\w.-]+)(?::\d+)?[:/]([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(
    origin,
  );
  return match?.[1]?.toLowerCase() === gitHost(github.url) ? match[2] : undefined;
}

/** Where one pushes to on the GitHub of this API: `github.com` of `api.github.com`, else the same host. */
export function gitHost(api: string): string {
  return new URL(api).hostname.replace(/^api\./, '');
}

/** No kubeconfig is no error: calls to the cluster then say that there is none. */
async function readKubernetes(kubeconfig: string | undefined, workspace: string): Promise<Facts['kubernetes']> {
  if (!kubeconfig) return { contexts: {} };
  const files = kubeconfig.split(delimiter).filter(Boolean);
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  // kubectl passes over files that are missing, and so must this.
  const present = files.filter((_, index) => texts[index] !== '');
  const refused = present.length > 0 ? await refusalOf(present.join(delimiter), workspace) : undefined;
  return { ...readKubeContexts(...texts), ...(refused ? { refused } : {}) };
}

/** kubectl would run whatever plugin the kubeconfig names; Holdpoint's own client refuses some, and so launches do too. */
async function refusalOf(kubeconfig: string, workspace: string): Promise<Facts['kubernetes']['refused']> {
  try {
    await loadKubeconfig(kubeconfig, workspace);
    return undefined;
  } catch (error) {
    if (!(error instanceof HoldpointError) || error.code !== 'denied') return undefined;
    return { reason: error.message, hint: error.hint ?? '' };
  }
}

/** `local` for this machine's own Engine, else the host that DOCKER_HOST names. */
function dockerHost(address: string | undefined): string {
  if (!address || /^(?:unix|npipe):/.test(address) || address.startsWith('/')) return 'local';
  const host = URL.canParse(address) ? new URL(address).hostname : address;
  return ['localhost', '127.0.0.1', '[::1]'].includes(host) ? 'local' : host;
}
