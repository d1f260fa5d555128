import { hintsAtSecret } from '../../core/secret-names.ts';
import type { Container, WorkloadObject } from './objects.ts';

/** What the server writes itself at every change: it says nothing of what was asked for. */
const SERVERS_OWN = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink'];
/** The last applied manifest once more, in one line; kubectl compares with it. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const MASK = '[redacted]';
/** Lines around a change: enough to see which container it is in. */
const CONTEXT = 6;
const MAX_EDITS = 4000;

/**
 * A unified diff of an object and what it would become, as YAML: without status and what the server writes itself, values of
 * environment variables with secrets' names masked.
 */
export async function objectDiff(live: WorkloadObject, result: WorkloadObject): Promise<string> {
  const [{ createTwoFilesPatch, FILE_HEADERS_ONLY }, { stringify }] = await Promise.all([
    import('diff'),
    import('yaml'),
  ]);
  const text = (object: WorkloadObject) =>
    stringify(shown(object), { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });
  const [before, after] = [text(live), text(result)];
  if (before === after) return '';
  const patch = createTwoFilesPatch('live', 'result', before, after, undefined, undefined, {
    context: CONTEXT,
    maxEditLength: MAX_EDITS,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch ?? 'They differ too much to show line by line.\n';
}

function shown({ status: _status, ...object }: WorkloadObject): object {
  const metadata = Object.entries(object.metadata).filter(([name]) => !SERVERS_OWN.includes(name));
  const { [LAST_APPLIED]: _applied, ...annotations } = object.metadata.annotations ?? {};
  const { spec, ...template } = object.spec.template;
  const { containers, initContainers, ...pod } = spec;
  return {
    ...object,
    metadata: { ...Object.fromEntries(metadata), annotations },
    spec: {
      ...object.spec,
      template: {
        ...template,
        spec: {
          ...pod,
          ...(initContainers && { initContainers: initContainers.map(masked) }),
          containers: containers.map(masked),
        },
      },
    },
  };
}

function masked({ env, ...container }: Container): Container {
  if (env === undefined) return container;
  const hide = ({ name, value }: { name: string; value?: string }) => value !== undefined && hintsAtSecret(name);
  return { ...container, env: env.map((entry) => (hide(entry) ? { ...entry, value: MASK } : entry)) };
}
