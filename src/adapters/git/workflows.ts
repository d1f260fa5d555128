import { HoldpointError } from '../../core/errors.ts';
import type { Target } from '../../core/target.ts';
import { readWorkflow, traceLaunch, triggeredBy } from '../github/port.ts';
import type { Launch } from '../github/port.ts';
import type { PushPlan } from './port.ts';
import type { Repository } from './repository.ts';

const FOLDER = '.github/workflows/';
const MAX_WORKFLOWS = 100;
const MAX_BYTES = 512 * 1024;

/** The workflow files at a commit, by path; one that cannot be read whole is empty, which is no workflow. */
export async function workflowsAt({ output, run }: Repository, commit: string): Promise<Record<string, string>> {
  const listed = await output({ args: ['ls-tree', '-z', commit, '--', FOLDER] }, 'to list workflows');
  const entries = listed.split('\0').filter((entry) => /\.ya?ml$/i.test(entry));
  if (entries.length > MAX_WORKFLOWS)
    throw new HoldpointError('denied', `There are ${entries.length} workflows, too many to tell what a push starts.`, {
      rule: 'programs',
      hint: 'A person pushes it.',
    });
  const files: [string, string][] = [];
  for (const entry of entries) {
    const [, type, object, path] = /^\d+ (\w+) (\w+)\t(.*)$/s.exec(entry) ?? [];
    if (type !== 'blob' || object === undefined || path === undefined) continue;
    const { code, stdout } = await run({ args: ['cat-file', 'blob', object], maxBytes: MAX_BYTES });
    files.push([path, code === 0 ? stdout : '']);
  }
  return Object.fromEntries(files);
}

/**
 * What a push starts on GitHub: the workflows at the pushed commit whose `on: push` (or, for a new ref, `on: create`) fits. A
 * file that cannot be read as a workflow counts as production, whatever it is. What a pull request of the branch starts, or a
 * workflow that runs after another, is not told by this.
 */
export async function startedBy({ update: { ref, was }, paths, workflows }: PushPlan): Promise<Target[]> {
  const tag = ref.startsWith('refs/tags/');
  const name = ref.replace(/^refs\/(?:heads|tags)\//, '');
  const refType = tag ? 'tag' : 'branch';
  const targets: Target[] = [];
  for (const [path, text] of Object.entries(workflows)) {
    try {
      const workflow = readWorkflow(text);
      for (const event of was === null ? ['push', 'create'] : ['push']) {
        if (!triggeredBy(workflow, { event, [refType]: name, ...(paths ? { paths } : {}) })) continue;
        const launch: Launch = { path, event, ref: name, refType };
        targets.push(...(await traceLaunch(launch, async (called) => workflows[called] ?? null)).targets);
      }
    } catch (error) {
      if (!(error instanceof HoldpointError) || error.code !== 'invalid_input') throw error;
      // Nothing is in `at`, so that no environment of a policy is milder.
      targets.push({ kind: 'workflow', id: `${path} at ${name} (unreadable)`, effect: 'write', at: {} });
    }
  }
  return [...new Map(targets.map((target) => [JSON.stringify(target), target])).values()];
}
