import type { EvidenceSource } from '../approvals/evidence.ts';
import type { Config } from '../config/config.ts';

/** Looks with ports of its own, made when the first item asks for it: for commands, which have no server's. */
export function evidenceFor(config: Config, redact: (text: string) => string): EvidenceSource {
  let made: Promise<EvidenceSource> | undefined;
  return {
    async look(body, items) {
      made ??= make(config, redact);
      return (await made).look(body, items);
    },
  };
}

async function make(
  { github, kubernetes, monitoring, workspace, ...config }: Config,
  redact: (text: string) => string,
): Promise<EvidenceSource> {
  const [{ createEvidence }, { createGitHub }, { createKubernetes }, { createMonitoring }, { readFacts }] =
    await Promise.all([
      import('./evidence.ts'),
      import('../adapters/github/client.ts'),
      import('../adapters/kubernetes/client.ts'),
      import('../adapters/monitoring/client.ts'),
      import('../config/facts.ts'),
    ]);
  const facts = await readFacts({ ...config, github, kubernetes, monitoring, workspace });
  return createEvidence({
    ports: {
      github: createGitHub({ url: github.url, ...(github.token ? { token: github.token } : {}) }),
      kubernetes: createKubernetes({
        workspace,
        ...(kubernetes.kubeconfig ? { kubeconfig: kubernetes.kubeconfig } : {}),
      }),
      monitoring: createMonitoring(monitoring),
    },
    facts,
    redact,
  });
}
