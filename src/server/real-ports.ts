import { createDocker } from '../adapters/docker/client.ts';
import { createGit } from '../adapters/git/client.ts';
import { createGitHub } from '../adapters/github/client.ts';
import { createKubernetes } from '../adapters/kubernetes/client.ts';
import { createMonitoring } from '../adapters/monitoring/client.ts';
import { createProcesses } from '../adapters/processes/client.ts';
import { createWeb } from '../adapters/web/client.ts';
import type { Config } from '../config/config.ts';
import { gitHost } from '../config/facts.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Ports } from '../core/tool.ts';
import type { Redactor } from '../redact/redact.ts';

type RealPorts = Pick<Ports, 'processes' | 'docker' | 'github' | 'monitoring' | 'web' | 'kubernetes'> & {
  git: ReturnType<typeof createGit>;
};

/** The systems outside, as they are configured; none is reached before its first use. `protect`: what no program may change. */
export function realPorts(
  { workspace, environment, docker, kubernetes, github, monitoring, web, processes, state, keys }: Config,
  { programs }: Facts,
  protect: readonly string[],
  redactor: Redactor,
): RealPorts {
  // What a file or a default says of the two counts for programs as well.
  const settings = {
    ...(kubernetes.kubeconfig ? { KUBECONFIG: kubernetes.kubeconfig } : {}),
    ...(docker.host ? { DOCKER_HOST: docker.host } : {}),
  };
  const sandbox = { mode: processes.sandbox, hidden: [state, keys], fixed: protect, readable: processes.readable };
  return {
    processes: createProcesses({
      mask: redactor.stream,
      workspace,
      environment: { ...environment, ...settings },
      sandbox,
      limits: { memoryBytes: processes.memoryMb * 1_048_576, processes: processes.maxProcesses },
    }),
    git: createGit({
      workspace,
      environment,
      sandbox,
      grammar: programs['git'] ?? lacking('git'),
      ...(github.token ? { credentials: { host: gitHost(github.url), token: github.token } } : {}),
    }),
    docker: createDocker({ registries: docker.registries, ...(docker.host ? { host: docker.host } : {}) }),
    github: createGitHub({ url: github.url, ...(github.token ? { token: github.token } : {}) }),
    monitoring: createMonitoring(monitoring),
    web: createWeb({ privateHosts: web.privateHosts }),
    kubernetes: createKubernetes({
      workspace,
      ...(kubernetes.kubeconfig ? { kubeconfig: kubernetes.kubeconfig } : {}),
    }),
  };
}

function lacking(program: string): never {
  throw new HoldpointError('internal', `policies/programs has no ${program}.yaml.`);
}
