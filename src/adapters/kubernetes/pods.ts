import { hintsAtSecret } from '../../core/secret-names.ts';
import type { Container, ContainerStatus, Pod } from './objects.ts';
import { plain, withoutUid } from './quoted.ts';

/** Something that keeps a pod from being ready. */
export interface Trouble {
  /** Kubernetes' own word for it: `ImagePullBackOff`, `Unschedulable`. */
  reason: string;
  /** A sentence, the cluster's words in it bounded and on one line. */
  text: string;
  /** Whether it will not pass without a change of image, configuration or quota. */
  lasting: boolean;
}

/** Waiting reasons that come from a wrong image or configuration, or after several failures in a row. */
const LASTING = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'CreateContainerConfigError',
]);
const STARTING = new Set(['ContainerCreating', 'PodInitializing']);

/** What is wrong with a pod, most telling first; empty for a pod that is ready, done, or merely starting. */
export function podTroubles(pod: Pod): Trouble[] {
  const status = pod.status ?? {};
  // A pod on its way out ends its containers: that is no trouble.
  if (status.phase === 'Succeeded' || pod.metadata.deletionTimestamp !== undefined) return [];
  if (status.phase === 'Failed' && (status.reason ?? '') !== '') {
    return [
      {
        reason: status.reason ?? 'Failed',
        text: sentence('the pod failed', status.reason, status.message),
        lasting: true,
      },
    ];
  }
  const scheduled = status.conditions?.find((condition) => condition.type === 'PodScheduled');
  if (scheduled?.status === 'False') {
    const reason = scheduled.reason ?? 'Unschedulable';
    return [{ reason, text: sentence('no node takes the pod', reason, scheduled.message), lasting: false }];
  }
  const init = (status.initContainerStatuses ?? []).flatMap((container) =>
    containerTrouble(container, 'init container', true),
  );
  const main = (status.containerStatuses ?? []).flatMap((container) => containerTrouble(container, 'container', false));
  return [...init, ...main];
}

function containerTrouble(container: ContainerStatus, what: string, runsOnce: boolean): Trouble[] {
  const { waiting, terminated, running } = container.state ?? {};
  const name = `${what} ${container.name}`;
  const last = container.lastState?.terminated;
  const died = last === undefined ? '' : `; last ended ${ending(last)}`;
  if (waiting !== undefined) {
    const reason = waiting.reason ?? 'Waiting';
    if (STARTING.has(reason))
      return last === undefined ? [] : [{ reason, text: `${name} starts again${died}`, lasting: false }];
    return [{ reason, text: sentence(name, reason, waiting.message) + died, lasting: LASTING.has(reason) }];
  }
  if (terminated !== undefined) {
    if (terminated.exitCode === 0 && (runsOnce || container.ready)) return [];
    return [{ reason: terminated.reason ?? 'Terminated', text: `${name} ended ${ending(terminated)}`, lasting: false }];
  }
  if (running !== undefined && !container.ready && !runsOnce) {
    return [{ reason: 'NotReady', text: `${name} runs but is not ready${died}`, lasting: false }];
  }
  return [];
}

function ending(terminated: { exitCode: number; reason?: string; message?: string; finishedAt?: string }): string {
  const why = terminated.reason === undefined || terminated.reason === 'Error' ? '' : ` (${terminated.reason})`;
  const message = terminated.message === undefined ? '' : `: ${plain(terminated.message, 200)}`;
  return `with exit code ${terminated.exitCode}${why}${terminated.finishedAt === undefined ? '' : ` at ${terminated.finishedAt}`}${message}`;
}

function sentence(subject: string, reason: string | undefined, message: string | undefined): string {
  return `${subject}: ${reason ?? 'unknown'}${message === undefined || message === '' ? '' : `: ${plain(withoutUid(message), 300)}`}`;
}

/** A pod's state in the one word that kubectl shows. */
export function podStatus(pod: Pod): string {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const status = pod.status ?? {};
  const statuses = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  for (const { state } of statuses) {
    if (state?.waiting?.reason !== undefined && state.waiting.reason !== 'PodInitializing') return state.waiting.reason;
    if (state?.terminated !== undefined && state.terminated.exitCode !== 0) return state.terminated.reason ?? 'Error';
  }
  return status.reason ?? status.phase ?? 'Unknown';
}

export function readyContainers(pod: Pod): { ready: number; total: number; restarts: number } {
  const statuses = pod.status?.containerStatuses ?? [];
  return {
    ready: statuses.filter((status) => status.ready).length,
    total: pod.spec.containers.length,
    restarts: statuses.reduce((sum, status) => sum + status.restartCount, 0),
  };
}

export function isReady(pod: Pod): boolean {
  return (
    pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false
  );
}

/** Also addresses, which often carry credentials. */
export function namesSecret(variable: string): boolean {
  return hintsAtSecret(variable) || /_ur[il]$/i.test(variable);
}

/**
 * A container's environment, one line a variable. References stay references: what a Secret holds is never resolved; and
 * of a variable whose name suggests a secret (addresses with credentials among them) only the name is given.
 */
export function environment(container: Container): string[] {
  const whole = (container.envFrom ?? []).map((from) =>
    from.secretRef === undefined
      ? `* from config map ${from.configMapRef?.name}`
      : `* from secret ${from.secretRef.name}`,
  );
  const single = (container.env ?? []).map(({ name, value, valueFrom }) => {
    const [source, reference] = Object.entries(valueFrom ?? {})[0] ?? [];
    if (reference !== undefined) {
      const where = [reference.name, reference.key ?? reference.fieldPath ?? reference.resource]
        .filter(Boolean)
        .join('/');
      return `${name} from ${source === 'secretKeyRef' ? 'secret' : source === 'configMapKeyRef' ? 'config map' : source} ${where}`;
    }
    return namesSecret(name) ? `${name}=(not shown)` : `${name}=${plain(value ?? '', 200)}`;
  });
  return [...whole, ...single];
}
