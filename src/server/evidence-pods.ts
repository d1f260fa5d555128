import { WORKLOAD_KINDS, type WorkloadRef } from '../adapters/kubernetes/port.ts';
import type { Target } from '../core/target.ts';
import type { Look, Looking } from './evidence.ts';

const MOST = 10;

/** Whether every workload that the plan touches is rolled out and ready. */
export async function podsFound({ plan, ports, call }: Looking): Promise<Look> {
  const workloads = plan.targets.filter(({ kind }) => kind === 'workload');
  const refs = workloads.flatMap((target) => refOf(target) ?? []);
  if (refs.length === 0) return { state: 'unknown', says: 'the call names no workload' };
  if (refs.length < workloads.length || refs.length > MOST)
    return { state: 'unknown', says: 'the call touches more than the workloads it names one by one' };
  const states = await Promise.all(refs.map(async (ref) => ({ ref, ...(await ports.kubernetes.rollout(ref, call)) })));
  const waiting = states.filter(({ state }) => state !== 'ready');
  const nameOf = ({ kind, name, namespace }: WorkloadRef) => `${kind}/${name} in ${namespace}`;
  if (waiting.length === 0) return { state: 'ok', says: `ready: ${refs.map(nameOf).join(', ')}` };
  return {
    state: 'failed',
    says: waiting.map(({ ref, state, message }) => `${nameOf(ref)} is ${state}: ${message}`).join('; '),
  };
}

/** One workload by name; undefined for what is none, or all of a kind. */
function refOf({ resource, id, at }: Target): WorkloadRef | undefined {
  const kind = WORKLOAD_KINDS.find((each) => each === resource);
  const name = /^[a-z]+\/([a-z0-9][a-z0-9.-]*)(?: |$)/.exec(id)?.[1];
  const { kubeContext: context, namespace } = at ?? {};
  if (kind === undefined || name === undefined || context === undefined || namespace === undefined) return undefined;
  return namespace === '*' ? undefined : { context, namespace, kind, name };
}
