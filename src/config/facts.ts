import { readFile } from 'node:fs/promises';
import { delimiter } from 'node:path';

import { readKubeContexts } from '../adapters/kubernetes/contexts.ts';
import type { Facts } from '../core/facts.ts';
import type { Config } from './config.ts';
import { loadPrograms } from './programs.ts';

/** What tools may know of this machine without touching anything: names of contexts, where Docker is, the known programs. */
export async function readFacts(config: Config): Promise<Facts> {
  const [kubernetes, programs] = await Promise.all([readKubernetes(config.kubernetes.kubeconfig), loadPrograms()]);
  return { kubernetes, docker: { host: dockerHost(config.docker.host) }, programs };
}

/** No kubeconfig is no error: calls to the cluster then say that there is none. */
async function readKubernetes(kubeconfig: string | undefined): Promise<Facts['kubernetes']> {
  if (!kubeconfig) return { contexts: {} };
  const files = kubeconfig.split(delimiter).filter(Boolean);
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return readKubeContexts(...texts);
}

/** `local` for this machine's own Engine, else the host that DOCKER_HOST names. */
function dockerHost(address: string | undefined): string {
  if (!address || /^(?:unix|npipe):/.test(address) || address.startsWith('/')) return 'local';
  const host = URL.canParse(address) ? new URL(address).hostname : address;
  return ['localhost', '127.0.0.1', '[::1]'].includes(host) ? 'local' : host;
}
