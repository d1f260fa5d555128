import { randomUUID } from 'node:crypto';

import type { KubernetesApi } from '../adapters/kubernetes/api.ts';
import { createHttpApi } from '../adapters/kubernetes/http.ts';
import { placeOf, workloadTarget } from '../adapters/kubernetes/port.ts';
import type { Target } from '../core/target.ts';
import { failed, type Check, type Context, type Finding } from './check.ts';
import { said } from './http.ts';
import { ruling } from './policy.ts';

/** Contexts that are asked; a kubeconfig can have hundreds. */
const MOST = 20;

export const kubernetes: Check = kubernetesOver((context) =>
  createHttpApi({
    workspace: context.config.workspace,
    ...(context.config.kubernetes.kubeconfig ? { kubeconfig: context.config.kubernetes.kubeconfig } : {}),
  }),
);

/** The check over any API server. */
export function kubernetesOver(open: (context: Context) => KubernetesApi): Check {
  return {
    what: 'kubernetes',
    async run(context) {
      const { contexts, current } = context.facts.kubernetes;
      const names = Object.keys(contexts).sort((a, b) => Number(b === current) - Number(a === current));
      if (names.length === 0)
        return [
          {
            level: 'off',
            what: 'kubernetes',
            detail: `no context in ${context.config.kubernetes.kubeconfig ?? 'any kubeconfig'}`,
            fix: 'Set KUBECONFIG, or kubernetes.kubeconfig in holdpoint.yaml.',
          },
        ];
      const api = open(context);
      const asked = await Promise.all(names.slice(0, MOST).map((name) => checkContext(api, name, context)));
      const left = names.length - asked.length;
      return left > 0
        ? [...asked, { level: 'warn', what: 'kubernetes', detail: `${left} further contexts were not asked` }]
        : asked;
    },
  };
}

async function checkContext(api: KubernetesApi, name: string, context: Context): Promise<Finding> {
  const what = `kubernetes ${name}`;
  const rule = rulingOf(name, context);
  try {
    const call = { callId: `doctor-${randomUUID()}`, signal: context.signal };
    const version = await api.json({ context: name, method: 'GET', path: '/version', timeout: 4000 }, call);
    const open = await api.verifiesTls(name);
    const detail = `${said(version, 'gitVersion') ?? 'version unknown'}; ${rule}`;
    if (open) return { level: 'ok', what, detail };
    return {
      level: 'warn',
      what,
      detail: `${detail}; its certificate is not checked`,
      fix: 'Give the cluster a certificate-authority in the kubeconfig in place of insecure-skip-tls-verify.',
    };
  } catch (thrown) {
    const { detail, fix } = failed(what, thrown);
    return { level: 'warn', what, detail: `${detail} ${rule}`, ...(fix === undefined ? {} : { fix }) };
  }
}

function rulingOf(name: string, context: Context): string {
  const at = placeOf({ context: name }, context.facts);
  const { effect: _effect, ...pod } = workloadTarget('pod', undefined, at, 'read');
  const { effect: _other, ...deployment } = workloadTarget('deployment', undefined, at, 'write');
  const shown: Pick<Target, 'at'> = deployment;
  const namespace = shown.at?.namespace ?? '';
  return `${namespace} is ${ruling(context, { read: { tool: 'kubectl-get', target: pod }, write: { tool: 'kubectl-rollout', target: deployment } })}`;
}
