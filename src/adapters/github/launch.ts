import { createHash } from 'node:crypto';

import type { Target } from '../../core/target.ts';
import { namesIn, resolveTemplate, type Value } from './expressions.ts';
import { inputTargets, targetAt, unresolved } from './launch-targets.ts';
import { readWorkflow, workflowStem, type Workflow, type WorkflowInput, type WorkflowJob } from './workflow.ts';

/** As deep as GitHub lets reusable workflows call one another. */
const MAX_DEPTH = 10;
const MAX_CALLS = 100;
const MAX_COMBINATIONS = 256;
/** Events that run at the ref they name; a pull request's, for one, is none of its branches. */
const AT_REF = ['workflow_dispatch', 'push', 'create', 'schedule', 'repository_dispatch'];

/** Values by name, null for one that is not known; `unknown` where none is. */
type Inputs = Readonly<Record<string, string | null>> | 'unknown';

/** A run of a workflow that is about to be started. */
export interface Launch {
  /** The workflow's file, from the repository: `.github/workflows/deploy.yml`. */
  path: string;
  /** What starts it: `workflow_dispatch`, `push` … */
  event: string;
  /** The branch or tag, without `refs/heads/`; absent where it is not known yet. */
  ref?: string;
  refType?: 'branch' | 'tag';
  /** What a dispatch gives, or a workflow that calls it; defaults are filled in from the workflow. */
  inputs?: Inputs;
  /** `owner/name`, for what is shown. */
  repository?: string;
  /** Set where another workflow calls it: the inputs of the event that started that one. */
  eventInputs?: InputValues;
}

interface InputValue {
  name: string;
  /** null: not known. */
  value: string | null;
  declared?: WorkflowInput;
}

/** By name in lower case, for GitHub does not tell letter case apart there. */
type InputValues = ReadonlyMap<string, InputValue> | 'unknown';

/**
 * What a run of this one workflow touches: its branch with the workflow's name, the environments of its jobs, and what its
 * inputs name. What cannot be known is a target that no environment of a policy matches, which counts as production.
 * Local reusable workflows are not looked into: they are in `localCalls`, and `traceLaunch` follows them. Workflows that run
 * on `workflow_run` after it, and what its steps start over the API, are not known here.
 *
 * @param workflow undefined where the file has not been read: then only what the launch itself names.
 */
export function launchTargets(workflow: Workflow | undefined, launch: Launch): Target[] {
  const values = inputValues(workflow, launch);
  const targets = [targetAt(launch, baseOf(launch))];
  if (values === 'unknown') {
    for (const [name, input] of declaredInputs(workflow, launch))
      targets.push(...inputTargets(launch, baseOf(launch), name, null, input));
  } else {
    for (const { name, value, declared } of values.values())
      targets.push(...inputTargets(launch, baseOf(launch), name, value, declared));
  }
  for (const job of workflow?.jobs ?? []) {
    if (job.uses !== undefined && localPath(job.uses) === undefined) targets.push(unresolved(launch, job.uses));
    if (job.environment === undefined) continue;
    const names = job.environment === null ? undefined : resolveInJob(job.environment, job, launch, values);
    if (!names) targets.push(unresolved(launch, job.environment ?? `environment of the job ${job.id}`));
    for (const name of names ?? []) if (name !== '') targets.push(targetAt(launch, { githubEnvironment: name }));
  }
  return distinct(targets);
}

/** The local reusable workflows that a run calls, each as the launch that it is. */
export function localCalls(workflow: Workflow, launch: Launch): Launch[] {
  const values = inputValues(workflow, launch);
  const eventInputs = launch.eventInputs ?? values;
  return workflow.jobs.flatMap((job) => {
    const path = job.uses === undefined ? undefined : localPath(job.uses);
    if (path === undefined) return [];
    const given = [...job.with].map(
      ([name, text]) => [name, resolveInJob(text, job, launch, values) ?? [null]] as const,
    );
    const each = combinations(given) ?? [Object.fromEntries(given.map(([name]) => [name, null]))];
    return each.map((inputs): Launch => ({ ...launch, path, inputs, eventInputs }));
  });
}

export interface Trace {
  targets: Target[];
  /** The files that were read, in turn, with the SHA-256 of their bytes; the launched workflow's is the first. */
  files: { path: string; digest: string }[];
  /** The launched workflow; undefined where its file is not there. */
  workflow?: Workflow;
}

/**
 * The targets of a launch and of all local reusable workflows that it calls.
 *
 * @param read the text of a file of the repository, as it is where the run will be; null where there is none.
 * @throws HoldpointError `invalid_input` for a workflow file that cannot be read.
 */
export async function traceLaunch(launch: Launch, read: (path: string) => Promise<string | null>): Promise<Trace> {
  const trace: Trace = { targets: [], files: [] };
  const waiting = [{ launch, depth: 0 }];
  const known = new Map<string, Workflow | undefined>();
  for (const [visited, { launch: next, depth }] of waiting.entries()) {
    if (!known.has(next.path)) {
      const text = depth > MAX_DEPTH || visited > MAX_CALLS ? null : await read(next.path);
      if (text !== null) trace.files.push({ path: next.path, digest: digestOf(text) });
      known.set(next.path, text === null ? undefined : readWorkflow(text));
    }
    const workflow = known.get(next.path);
    trace.targets.push(...launchTargets(workflow, next));
    if (!workflow || depth > MAX_DEPTH || visited > MAX_CALLS) {
      trace.targets.push(unresolved(next, next.path));
      if (visited > MAX_CALLS) break;
      continue;
    }
    waiting.push(...localCalls(workflow, next).map((call) => ({ launch: call, depth: depth + 1 })));
  }
  const workflow = known.get(launch.path);
  return { ...trace, targets: distinct(trace.targets), ...(workflow ? { workflow } : {}) };
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function baseOf({ path, ref }: Launch): NonNullable<Target['at']> {
  return { ...(ref === undefined ? {} : { branch: ref }), workflow: workflowStem(path) };
}

function localPath(uses: string): string | undefined {
  return /^\.\/(\.github\/workflows\/[\w.-]+\.ya?ml)$/i.exec(uses)?.[1];
}

function declaredInputs(workflow: Workflow | undefined, launch: Launch): ReadonlyMap<string, WorkflowInput> {
  if (launch.eventInputs !== undefined) return workflow?.call ?? new Map<string, WorkflowInput>();
  return (launch.event === 'workflow_dispatch' ? workflow?.dispatch : undefined) ?? new Map<string, WorkflowInput>();
}

function inputValues(workflow: Workflow | undefined, launch: Launch): InputValues {
  if (launch.inputs === 'unknown') return 'unknown';
  const values = new Map<string, InputValue>();
  for (const [name, declared] of declaredInputs(workflow, launch)) {
    const value = declared.default ?? '';
    values.set(name.toLowerCase(), { name, value: value.includes('${{') ? null : value, declared });
  }
  for (const [name, value] of Object.entries(launch.inputs ?? {}))
    values.set(name.toLowerCase(), { ...values.get(name.toLowerCase()), name, value });
  return values;
}

/** What a text in a job becomes, once for each combination of the matrix's values in it; undefined where it is not known. */
function resolveInJob(text: string, job: WorkflowJob, launch: Launch, values: InputValues): string[] | undefined {
  const names = [...new Set(namesIn(text).filter((name) => name.startsWith('matrix.')))];
  const lists = names.map((name) => [name, job.matrix?.get(name.slice('matrix.'.length)) ?? null] as const);
  const known = lists.flatMap(([name, list]) => (list === null ? [] : [[name, list] as const]));
  const each = known.length < lists.length ? undefined : combinations(known);
  const resolved = each?.map((matrix) => resolveTemplate(text, (name) => matrix[name] ?? lookUp(name, launch, values)));
  return resolved?.every((value) => value !== undefined) ? [...new Set(resolved)] : undefined;
}

function lookUp(name: string, launch: Launch, values: InputValues): Value | undefined {
  const own = /^inputs\.([^.]+)$/.exec(name)?.[1];
  if (own !== undefined) {
    if (values === 'unknown') return undefined;
    const { value, declared } = values.get(own) ?? { value: '' };
    if (declared?.type === 'number') return undefined;
    return declared?.type === 'boolean' && value !== null ? value === 'true' : (value ?? undefined);
  }
  const events = /^github\.event\.inputs\.([^.]+)$/.exec(name)?.[1];
  if (events !== undefined) {
    const given = launch.eventInputs ?? values;
    return given === 'unknown' ? undefined : ((given.get(events) ?? { value: '' }).value ?? undefined);
  }
  if (name === 'github.event_name') return launch.event;
  if (name === 'github.repository') return launch.repository;
  if (!AT_REF.includes(launch.event) || launch.ref === undefined) return undefined;
  if (name === 'github.ref_name') return launch.ref;
  if (name === 'github.ref_type') return launch.refType;
  if (name !== 'github.ref' || launch.refType === undefined) return undefined;
  return `refs/${launch.refType === 'tag' ? 'tags' : 'heads'}/${launch.ref}`;
}

/** Every way to choose one value for each name; undefined where there are too many. */
function combinations<T>(lists: readonly (readonly [string, readonly T[]])[]): Record<string, T>[] | undefined {
  let all: Record<string, T>[] = [{}];
  for (const [name, list] of lists) {
    if (all.length * list.length > MAX_COMBINATIONS) return undefined;
    all = all.flatMap((chosen) => [...new Set(list)].map((value) => ({ ...chosen, [name]: value })));
  }
  return all;
}

function distinct(targets: readonly Target[]): Target[] {
  return [...new Map(targets.map((target) => [JSON.stringify(target), target])).values()];
}
