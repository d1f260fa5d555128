import { parseDocument } from 'yaml';

import { HoldpointError } from '../../core/errors.ts';

const MAX_BYTES = 512 * 1024;
const MAX_ALIASES = 100;
const MAX_JOBS = 500;

const INPUT_TYPES = ['string', 'boolean', 'choice', 'number', 'environment'] as const;

/** One input that a workflow takes when a person or another workflow starts it. */
export interface WorkflowInput {
  type: (typeof INPUT_TYPES)[number];
  required: boolean;
  /** As text, whatever its type. */
  default?: string;
  /** `choice` only. */
  options?: string[];
}

export interface WorkflowJob {
  id: string;
  /** The name in `environment:`, expressions included; null where there is one that cannot be read. */
  environment?: string | null;
  /** The reusable workflow that the job is. */
  uses?: string;
  /** What that workflow is given, expressions included. */
  with: ReadonlyMap<string, string>;
  /** The literal values of each of the matrix's variables, null for those that are computed; null for a computed matrix. */
  matrix: ReadonlyMap<string, readonly string[] | null> | null;
}

/** What matters of a workflow file for telling what a run of it touches. */
export interface Workflow {
  name?: string;
  /** The events it runs on, each with its filters as written (null where it has none). */
  on: ReadonlyMap<string, unknown>;
  /** The inputs of `workflow_dispatch`; undefined where it cannot be dispatched. */
  dispatch?: ReadonlyMap<string, WorkflowInput>;
  /** The inputs of `workflow_call`; undefined where it is not reusable. */
  call?: ReadonlyMap<string, WorkflowInput>;
  jobs: readonly WorkflowJob[];
}

/**
 * A workflow file, read as YAML 1.2, in which `on` is a word and not `true`.
 *
 * @throws HoldpointError `invalid_input` for what is too large, no YAML, or no workflow.
 */
export function readWorkflow(text: string): Workflow {
  if (Buffer.byteLength(text) > MAX_BYTES) throw broken(`it is larger than ${MAX_BYTES / 1024} KB`);
  const file = asMap(parse(text));
  if (!file) throw broken('it holds no mapping');
  const on = events(file.get('on'));
  const jobs = [...(asMap(file.get('jobs')) ?? [])];
  if (on.size === 0) throw broken('it has no "on"');
  if (jobs.length === 0 || jobs.length > MAX_JOBS) throw broken(`it has ${jobs.length} jobs`);
  const name = file.get('name');
  return {
    ...(typeof name === 'string' ? { name } : {}),
    on,
    ...(on.has('workflow_dispatch') ? { dispatch: inputs(on.get('workflow_dispatch')) } : {}),
    ...(on.has('workflow_call') ? { call: inputs(on.get('workflow_call')) } : {}),
    jobs: jobs.map(([id, job]) => readJob(id, asMap(job) ?? new Map())),
  };
}

/** A workflow's name in policies: its file's, without folder and ending. */
export function workflowStem(path: string): string {
  return (path.split('/').at(-1) ?? path).replace(/\.ya?ml$/i, '');
}

function parse(text: string): unknown {
  try {
    const document = parseDocument(text, { version: '1.2', stringKeys: true, logLevel: 'silent' });
    const [error] = document.errors;
    if (error) throw broken(`line ${error.linePos?.[0].line ?? '?'}: ${error.code.toLowerCase().replaceAll('_', ' ')}`);
    return document.toJS({ mapAsMap: true, maxAliasCount: MAX_ALIASES });
  } catch (error) {
    // Aliases that multiply, and nesting deeper than the stack, are thrown and not reported.
    throw error instanceof HoldpointError ? error : broken('it nests or repeats too much');
  }
}

function broken(why: string): HoldpointError {
  return new HoldpointError('invalid_input', `The workflow file cannot be read: ${why}.`, {
    hint: 'Correct the file, push it, then repeat the call.',
  });
}

function events(on: unknown): ReadonlyMap<string, unknown> {
  if (typeof on === 'string') return new Map([[on, null]]);
  if (Array.isArray(on)) return new Map(on.flatMap((event) => (typeof event === 'string' ? [[event, null]] : [])));
  return asMap(on) ?? new Map<string, unknown>();
}

function inputs(trigger: unknown): Map<string, WorkflowInput> {
  const declared = asMap(asMap(trigger)?.get('inputs')) ?? new Map<string, unknown>();
  return new Map(
    [...declared].map(([name, written]) => {
      const input = asMap(written);
      const type = INPUT_TYPES.find((each) => each === input?.get('type')) ?? 'string';
      const value = scalar(input?.get('default'));
      const options = input?.get('options');
      return [
        name,
        {
          type,
          required: input?.get('required') === true,
          ...(value === undefined ? {} : { default: value }),
          ...(Array.isArray(options) ? { options: options.flatMap((option) => scalar(option) ?? []) } : {}),
        },
      ];
    }),
  );
}

function readJob(id: string, job: ReadonlyMap<string, unknown>): WorkflowJob {
  const environment = job.get('environment') ?? undefined;
  const named = scalar(asMap(environment)?.get('name') ?? environment);
  const uses = job.get('uses');
  const given = asMap(job.get('with')) ?? new Map<string, unknown>();
  return {
    id,
    ...(environment === undefined ? {} : { environment: named ?? null }),
    ...(typeof uses === 'string' ? { uses } : {}),
    // What is no plain value is left as an expression that nothing can resolve.
    with: new Map([...given].map(([name, value]) => [name, scalar(value) ?? '${{ }}'])),
    matrix: readMatrix(asMap(job.get('strategy'))?.get('matrix')),
  };
}

function readMatrix(written: unknown): WorkflowJob['matrix'] {
  if (written === undefined || written === null) return new Map();
  const matrix = asMap(written);
  const include = matrix?.get('include') ?? [];
  if (!matrix || !Array.isArray(include)) return null;
  const values = new Map<string, readonly string[] | null>();
  const add = (name: string, more: readonly unknown[]) => {
    const literal = more.map(scalar);
    const known = values.get(name) ?? [];
    const plain = literal.flatMap((value) => (value === undefined || value.includes('${{') ? [] : [value]));
    values.set(name, values.get(name) === null || plain.length < more.length ? null : [...known, ...plain]);
  };
  for (const [name, list] of matrix)
    if (name !== 'include' && name !== 'exclude') add(name.toLowerCase(), Array.isArray(list) ? list : [undefined]);
  for (const entry of include as unknown[]) {
    const added = asMap(entry);
    if (!added) return null;
    for (const [name, value] of added) add(name.toLowerCase(), [value]);
  }
  return values;
}

function asMap(value: unknown): ReadonlyMap<string, unknown> | undefined {
  return value instanceof Map ? (value as ReadonlyMap<string, unknown>) : undefined;
}

function scalar(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' ? `${value}` : undefined;
}
