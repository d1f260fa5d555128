import type { ImageBinding, Reach, Revision, Workload, WorkloadChange } from './port.ts';

interface Facts {
  change: WorkloadChange;
  workload: Workload;
  revisions: readonly Revision[];
  reach: Reach;
  images: readonly ImageBinding[];
  verifiesTls: boolean;
  undo: string | null;
}

/** What a person reads before a change is made: from → to, what hangs on the workload, what is not known, the way back. */
export function previewText({ change, workload, revisions, reach, images, verifiesTls, undo }: Facts): string {
  return [
    ...changeLines(change, workload, revisions),
    `replicas ${workload.replicas}, ${workload.strategy}`,
    `services: ${listed(reach.services)}; autoscaler: ${listed(reach.autoscalers)}; volume claims: ${listed(workload.claims)}`,
    ...images.map(imageLine),
    ...warnings(change, workload, reach, verifiesTls),
    undo === null ? 'there is nothing to go back to' : `to go back: ${undo}`,
  ].join('\n');
}

function imageLine({ image, value }: ImageBinding): string {
  const known = [
    ...(value.engine === null ? [] : [`${value.engine} on the Docker Engine`]),
    ...(value.nodes ?? []).map((digest) => `${digest} on the nodes`),
  ];
  return known.length === 0
    ? `image ${image}: what its tag stands for is not known here; the nodes take what they find when they start the pods`
    : `image ${image}: ${known.join(', ')}`;
}

function changeLines(change: WorkloadChange, workload: Workload, revisions: readonly Revision[]): string[] {
  const from = Object.fromEntries(workload.containers.map(({ name, image }) => [name, image]));
  const arrow = (to: Record<string, string>) =>
    Object.entries(to).map(([name, image]) =>
      from[name] === image ? `${name}: ${image} (as now)` : `${name}: ${from[name] ?? '(none)'} → ${image}`,
    );
  switch (change.action) {
    case 'set-image':
      return arrow(change.images);
    case 'undo': {
      const target = revisions.find((revision) => revision.revision === change.revision);
      const cause =
        target?.cause === null || target === undefined ? '' : `, cause: ${JSON.stringify(target.cause.slice(0, 200))}`;
      return [
        `revision ${revisions[0]?.revision ?? '?'} → ${change.revision} (made ${target?.created ?? '?'}${cause})`,
        ...arrow(target?.images ?? {}),
      ];
    }
    case 'restart':
      return [`every pod is replaced, images stay: ${[...new Set(Object.values(from))].join(', ')}`];
    case 'pause':
      return ['changes made from now on do not roll out until it is resumed'];
    case 'resume':
    default:
      return ['changes made while it was paused roll out now'];
  }
}

function warnings(change: WorkloadChange, workload: Workload, reach: Reach, verifiesTls: boolean): string[] {
  const replaces = change.action !== 'pause';
  return [
    ...(replaces && !workload.rolls
      ? ['warning: the strategy is OnDelete, so pods take the change only when somebody deletes them']
      : []),
    ...(replaces && workload.strategy.startsWith('Recreate')
      ? ['warning: the strategy is Recreate, so there is a gap without any pod']
      : []),
    ...(replaces && workload.replicas === 1 && (reach.services ?? []).length > 0
      ? ['warning: one replica serves these services']
      : []),
    ...(verifiesTls ? [] : ["warning: the kubeconfig switches off the check of this cluster's certificate"]),
  ];
}

function listed(names: readonly string[] | null): string {
  if (names === null) return 'not readable';
  return names.length === 0 ? 'none' : names.join(', ');
}
