import { quoted } from '../../core/foreign.ts';
import type { Found } from '../../core/softly.ts';
import type { HeldChange } from './change-parts.ts';
import type { RolloutState, Surroundings } from './port.ts';

interface Known {
  rehearsal: Found<string>;
  around: Found<Surroundings>;
  state: Found<RolloutState>;
  cluster: Found<{ verifiesTls: boolean }>;
}

/** What speaks for looking twice, of what is known; what is not known is no risk, and stands as unknown elsewhere. */
export function changeRisks(held: HeldChange, known: Known): string[] {
  const { change, undo, preconditions } = held;
  const replaces = change.action !== 'pause';
  return [
    ...('unknown' in known.rehearsal
      ? [`its dry run on the cluster gave no result: ${quoted(known.rehearsal.unknown)}`]
      : []),
    ...('value' in known.state && known.state.value.state === 'failing'
      ? [`the last rollout of it is failing now: ${quoted(known.state.value.message)}`]
      : []),
    ...('value' in known.state && known.state.value.state === 'rolling'
      ? [`a rollout of it is still on its way: ${quoted(known.state.value.message)}`]
      : []),
    ...(replaces ? imageRisks(preconditions) : []),
    ...(replaces && 'value' in known.around ? aroundRisks(known.around.value) : []),
    ...('value' in known.cluster && !known.cluster.value.verifiesTls
      ? ["the kubeconfig switches off the check of this cluster's certificate"]
      : []),
    ...(undo === null ? ['there is no stored revision to go back to'] : []),
  ];
}

function imageRisks(preconditions: HeldChange['preconditions']): string[] {
  return preconditions.flatMap(({ id, value }) => {
    if (!id.startsWith('image:')) return [];
    const image = id.slice('image:'.length);
    const { nodes, engine } = value as { nodes: string[] | null; engine: string | null };
    const last = image.slice(image.lastIndexOf('/') + 1);
    return [
      ...(!last.includes(':') || last.endsWith(':latest')
        ? [`${image} is the tag latest: nobody can say which build that is`]
        : []),
      ...(nodes !== null && nodes.length > 1
        ? [`the nodes hold ${nodes.length} different images behind ${image}: its tag has moved`]
        : []),
      ...(nodes?.length === 0 && engine === null ? [`what ${image} stands for is not known here`] : []),
    ];
  });
}

function aroundRisks({ replicas, services, disruptionBudgets, strategy, unprobed, ready }: Surroundings): string[] {
  const serves = 'value' in services && services.value.length > 0;
  return [
    ...(replicas === 1 ? [`one replica${serves ? ` serves ${services.value.join(', ')}` : ''}`] : []),
    ...(ready < replicas ? [`only ${ready} of ${replicas} pods are ready now`] : []),
    ...('value' in disruptionBudgets && disruptionBudgets.value.length === 0
      ? ['no disruption budget: nothing keeps a node drain from taking its pods meanwhile']
      : []),
    ...(strategy.startsWith('Recreate') ? ['the strategy is Recreate: there is a gap without any pod'] : []),
    ...(strategy.startsWith('OnDelete')
      ? ['the strategy is OnDelete: pods take the change only when they are deleted']
      : []),
    ...(unprobed.length > 0
      ? [`no readiness probe on ${unprobed.join(', ')}: the rollout cannot tell whether the new pods work`]
      : []),
  ];
}
