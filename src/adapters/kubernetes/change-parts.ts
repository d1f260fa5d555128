import type { Precondition, PreviewPart } from '../../core/plan.ts';
import { quoted } from '../../core/foreign.ts';
import { row, softly, type Found } from '../../core/softly.ts';
import type { PlanContext } from '../../core/tool.ts';
import { imageFacts } from '../docker/port.ts';
import { readTraffic, trafficText } from '../monitoring/port.ts';
import { changeRisks } from './change-risks.ts';
import type { Bound, Revision, Surroundings, Workload, WorkloadChange, WorkloadRef } from './port.ts';

export interface HeldChange {
  ref: WorkloadRef;
  change: WorkloadChange;
  bound: Bound;
  undo: string | null;
  preconditions: readonly Precondition[];
}

type Context = PlanContext<'kubernetes' | 'docker' | 'monitoring'>;

/** What people see of a change that waits for them: what it makes of the object, images, what it can break, the way back. */
export async function changeParts(held: HeldChange, context: Context): Promise<PreviewPart[]> {
  const { ref, change, bound } = held;
  const { kubernetes, docker, monitoring, facts } = context;
  const [rehearsal, around, workload, revisions, state, images, traffic] = await Promise.all([
    softly(context, (call) => kubernetes.rehearse(ref, change, bound, call)),
    softly(context, (call) => kubernetes.surroundings(ref, call)),
    softly(context, (call) => kubernetes.workload(ref, call)),
    softly(context, (call) => kubernetes.revisions(ref, call)),
    softly(context, (call) => kubernetes.rollout(ref, call)),
    softly(context, (call) => docker.imageList(call)),
    facts.monitoring.grafana === undefined && facts.monitoring.prometheus === undefined
      ? { unknown: 'no monitoring is configured' }
      : softly(context, (call) =>
          readTraffic(monitoring, { namespace: ref.namespace, pods: ref.name }, Date.now(), call),
        ),
  ]);
  const what = `${ref.kind}/${ref.name} in ${ref.namespace} (context ${ref.context})`;
  const engine = (image: string) => {
    if ('unknown' in images) return `unknown on the Docker Engine: ${images.unknown}`;
    return imageFacts(images.value, image, Date.now() / 1000);
  };
  return [
    { kind: 'risks', items: changeRisks(held, { rehearsal, around, workload, revisions, state }) },
    { kind: 'facts', title: `Images of ${what}`, rows: imageRows(held, workload, revisions, around, engine) },
    {
      kind: 'facts',
      title: 'What it can break',
      rows: [
        ...('value' in around ? aroundRows(around.value) : [row('surroundings', around, String)]),
        ['traffic now', 'value' in traffic ? trafficText(traffic.value) : `unknown: ${traffic.unknown}`],
      ],
    },
    'value' in rehearsal
      ? {
          kind: 'diff',
          title: `${what}: live → result, by a dry run on the cluster; without status and managed fields`,
          text: rehearsal.value || '(the dry run changes nothing)\n',
        }
      : { kind: 'facts', title: 'Dry run on the cluster', rows: [['result', `unknown: ${rehearsal.unknown}`]] },
    { kind: 'undo', text: undoText(held, revisions) },
  ];
}

function aroundRows(around: Surroundings): [string, string][] {
  const list = (found: Found<string[]>) =>
    'unknown' in found ? `unknown: ${found.unknown}` : found.value.length === 0 ? 'none' : found.value.join(', ');
  return [
    ['pods', `${around.ready} ready, ${around.replicas} asked for; ${around.strategy}`],
    ['services', list(around.services)],
    ['ingresses', list(around.ingresses)],
    ['autoscaler', list(around.autoscalers)],
    ['disruption budget', list(around.disruptionBudgets)],
    ['volume claims', around.claims.length === 0 ? 'none' : around.claims.join(', ')],
    ['same configuration', list(around.sharesConfig)],
  ];
}

/** From → to for each container that changes, or what runs for those that stay. */
function imageRows(
  { change, preconditions }: HeldChange,
  workload: Found<Workload>,
  revisions: Found<Revision[]>,
  around: Found<Surroundings>,
  engine: (image: string) => string,
): [string, string][] {
  if ('unknown' in workload) return [row('images', workload, String)];
  const after = imagesAfter(change, revisions);
  return workload.value.containers.map(({ name, image, init }) => {
    const to = after[name] ?? image;
    const running = 'value' in around ? (around.value.running[name] ?? []) : [];
    const lines = [
      to === image ? `${image} (stays)` : `${image} → ${to}`,
      `now runs: ${running.length === 0 ? 'not known' : running.map((id) => quoted(id, 160)).join(', ')}`,
      ...(to === image ? [] : [`from: ${engine(image)}`]),
      `${to === image ? 'its tag' : 'to'}: ${engine(to)}; ${nodesText(to, preconditions)}`,
    ];
    return [init ? `${name} (init)` : name, lines.join('\n')];
  });
}

function imagesAfter(change: WorkloadChange, revisions: Found<Revision[]>): Readonly<Record<string, string>> {
  if (change.action === 'set-image') return change.images;
  if (change.action !== 'undo' || 'unknown' in revisions) return {};
  return revisions.value.find(({ revision }) => revision === change.revision)?.images ?? {};
}

/** What the plan binds of the nodes' images behind a tag. */
function nodesText(image: string, preconditions: readonly Precondition[]): string {
  if (image.includes('@')) return 'pinned by its digest';
  const bound = preconditions.find(({ id }) => id === `image:${image}`)?.value as
    | { nodes?: string[] | null }
    | undefined;
  if (!bound) return 'starts no pod now';
  if (bound.nodes === null) return 'what the nodes hold may not be read';
  if (!bound.nodes || bound.nodes.length === 0)
    return 'no node reports it: they take what they find, or what the registry gives, when they start the pods';
  return `on the nodes: ${bound.nodes.join(', ')}`;
}

function undoText({ change, undo }: HeldChange, revisions: Found<Revision[]>): string {
  if (undo === null) return 'There is no stored revision to go back to: it cannot be undone by a rollout.';
  if (change.action === 'pause' || change.action === 'resume') return undo;
  const current = 'value' in revisions ? revisions.value[0] : undefined;
  if (current === undefined) return undo;
  const images = Object.entries(current.images).map(([name, image]) => `${name} ${image}`);
  const cause = current.cause === null ? '' : `, cause ${quoted(current.cause, 120)}`;
  return `${undo}: that brings back revision ${current.revision} (made ${current.created}${cause}) with ${images.join(', ')}.`;
}
