import type { Found } from './finding.ts';
import { commandsOf } from './shell.ts';
import type { Command } from './shell.ts';
import { at, entries, isMapping, items, text } from './yaml-tree.ts';
import type { YamlNode } from './yaml-tree.ts';

const MAX_NEEDED = 100;

export interface Step {
  line: number;
  name: string;
  node: YamlNode;
  uses: string | undefined;
  run: YamlNode | undefined;
  commands: Command[];
}

export interface Job {
  id: string;
  line: number;
  name: string;
  node: YamlNode;
  needs: string[];
  /** The reusable workflow that the job is. */
  uses: string | undefined;
  steps: Step[];
}

export interface Workflow {
  root: YamlNode;
  /** What it runs on, with each event's filters; empty for a composite action. */
  events: ReadonlyMap<string, YamlNode | undefined>;
  jobs: Job[];
}

export function readWorkflowFile(root: YamlNode): { workflow: Workflow; problems: Found[] } {
  const problems: Found[] = [];
  const written = at(root, 'jobs');
  if (!isMapping(written)) problems.push({ line: written?.line ?? root.line, what: 'has no jobs' });
  if (!at(root, 'on')) problems.push({ line: root.line, what: 'has no "on"' });
  const jobs = entries(written).flatMap(([id, node]): Job[] => {
    if (!isMapping(node)) {
      problems.push({ line: node.line, what: `job ${id} is no mapping with runs-on and steps` });
      return [];
    }
    const uses = text(at(node, 'uses'));
    return [
      {
        id,
        line: node.line,
        name: text(at(node, 'name')) ?? '',
        node,
        needs: words(at(node, 'needs')),
        uses,
        steps: stepsOf(node),
      },
    ];
  });
  const ids = new Set(jobs.map(({ id }) => id));
  for (const { id, node, needs } of jobs)
    for (const need of needs)
      if (!ids.has(need) && problems.length === 0)
        problems.push({ line: at(node, 'needs')?.line ?? node.line, what: `job ${id} needs ${need}, which is no job` });
  return { workflow: { root, events: eventsOf(at(root, 'on')), jobs }, problems };
}

/** A composite action, as a workflow of one job. */
export function readAction(root: YamlNode): Workflow {
  const node = at(root, 'runs') ?? root;
  const job: Job = { id: 'runs', line: node.line, name: '', node, needs: [], uses: undefined, steps: stepsOf(node) };
  return { root, events: new Map(), jobs: [job] };
}

/** A word, or a list of words. */
export function words(node: YamlNode | undefined): string[] {
  const one = text(node);
  return one === undefined ? items(node).flatMap((item) => text(item) ?? []) : [one];
}

/** What a job needs, directly and through others; the first hundred. */
export function neededBy(job: Job, byId: ReadonlyMap<string, Job>): Job[] {
  const found = new Set([job]);
  for (const each of found)
    for (const need of each.needs) {
      const needed = byId.get(need);
      if (needed && found.size <= MAX_NEEDED) found.add(needed);
    }
  return [...found].slice(1);
}

function eventsOf(on: YamlNode | undefined): Map<string, YamlNode | undefined> {
  return new Map<string, YamlNode | undefined>([
    ...words(on).map((event) => [event, undefined] as const),
    ...entries(on),
  ]);
}

function stepsOf(node: YamlNode): Step[] {
  return items(at(node, 'steps'))
    .filter(isMapping)
    .map((step) => {
      const run = at(step, 'run');
      const shell = text(at(step, 'shell'));
      const isShell = shell === undefined || /^(?:ba|z|da)?sh\b/.test(shell);
      return {
        line: step.line,
        name: text(at(step, 'name')) ?? '',
        node: step,
        uses: text(at(step, 'uses')),
        run,
        commands: run && isShell ? commandsOf(run.lines) : [],
      };
    });
}
