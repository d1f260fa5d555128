import { quoted } from '../../core/foreign.ts';
import type { PreviewPart } from '../../core/plan.ts';
import { softly, type Found } from '../../core/softly.ts';
import type { Target } from '../../core/target.ts';
import type { PlanContext } from '../../core/tool.ts';
import type { Comparison } from './comparing.ts';
import { runName, type Run } from './run.ts';
import type { GitHubRuns } from './runs.ts';

type Context = PlanContext<'github'>;

/** Runs that are looked through for the last one that succeeded. */
const LOOK_BACK = 30;

/** A run that is to be started, anew or again. */
export interface HeldLaunch {
  repository: string;
  /** The workflow's id, or its file where a run only tells that. */
  workflow: number | string;
  ref: string;
  sha: string;
  /** What is sent; null for a run that is repeated with what it had. */
  inputs: Readonly<Record<string, string>> | null;
  targets: readonly Target[];
}

/** A held launch: at which commit and with what, against the last run of the workflow that succeeded; how to undo it. */
export async function launchParts(launch: HeldLaunch, context: Context): Promise<PreviewPart[]> {
  const { repository, ref, sha, inputs, targets } = launch;
  const { runs } = context.github;
  const recent = await softly(context, (call) => recentRuns(runs, launch, call));
  const last = 'value' in recent ? recent.value.find(({ conclusion }) => conclusion === 'success') : undefined;
  const between =
    last === undefined
      ? undefined
      : await softly(context, (call) => runs.compare(repository, { base: last.sha, head: sha }, call));
  const touched = [...new Set(targets.map(({ id }) => id))];
  return [
    { kind: 'risks', items: launchRisks(recent, last, between) },
    {
      kind: 'facts',
      title: `Launch in ${repository}`,
      rows: [
        ['at', `${ref}, commit ${sha}`],
        ...(inputs === null
          ? [['inputs', 'those of the run that is repeated'] satisfies [string, string]]
          : Object.entries(inputs).map(([name, value]): [string, string] => [`input ${name}`, quoted(value, 300)])),
        ['touches', touched.join('\n')],
      ],
    },
    { kind: 'facts', title: 'Against what the last successful run had', rows: betweenRows(recent, last, between) },
    {
      kind: 'undo',
      text: [
        'It cannot be taken back as such: gh-run with action cancel ends it, and what its jobs did by then stays.',
        last === undefined
          ? 'No earlier successful run is known that could be repeated.'
          : `The last one that succeeded is ${runName(last)} at ${last.sha.slice(0, 7)}: gh-run with action rerun repeats it, with that commit.`,
      ].join(' '),
    },
  ];
}

async function recentRuns(runs: GitHubRuns, { repository, workflow }: HeldLaunch, call: Context): Promise<Run[]> {
  const id =
    typeof workflow === 'number'
      ? workflow
      : (await runs.workflows(repository, call)).find(({ path }) => path === workflow)?.id;
  if (id === undefined) return [];
  return (await runs.list(repository, { workflow: id, limit: LOOK_BACK }, call)).runs;
}

function launchRisks(recent: Found<Run[]>, last: Run | undefined, between: Found<Comparison> | undefined): string[] {
  if ('unknown' in recent) return [];
  const ended = recent.value.find(({ status }) => status === 'completed');
  const going = recent.value.filter(({ status }) => status !== 'completed');
  const back = between !== undefined && 'value' in between ? between.value.behind : 0;
  return [
    ...(ended && ended.conclusion !== 'success'
      ? [`follows a run of this workflow that did not succeed: ${runName(ended)} ended with ${ended.conclusion ?? '?'}`]
      : []),
    ...(going.length > 0
      ? [`${going.length} runs of this workflow are still going: ${going.slice(0, 3).map(runName).join(', ')}`]
      : []),
    ...(last === undefined ? [`none of its last ${LOOK_BACK} runs succeeded: there is nothing to go back to`] : []),
    ...(back > 0 ? [`it leaves out ${back} commits that the last successful run had: it would go back in time`] : []),
  ];
}

function betweenRows(
  recent: Found<Run[]>,
  last: Run | undefined,
  between: Found<Comparison> | undefined,
): [string, string][] {
  if ('unknown' in recent) return [['last runs', `unknown: ${recent.unknown}`]];
  if (last === undefined || between === undefined) return [['last success', 'none is known']];
  const first: [string, string] = ['last success', `${runName(last)} at ${last.sha.slice(0, 7)}, ${last.created}`];
  if ('unknown' in between) return [first, ['what changed', `unknown: ${between.unknown}`]];
  return [first, ...comparisonRows(between.value)];
}

/** A comparison for people; titles and paths in it are others' words. */
function comparisonRows({ ahead, behind, commits, files }: Comparison): [string, string][] {
  const more = ahead > commits.length ? `\n… and ${ahead - commits.length} more` : '';
  return [
    ['commits', `${ahead} more${behind > 0 ? `, ${behind} fewer` : ''}`],
    ...(commits.length > 0
      ? [['their titles', commits.map((line) => quoted(line)).join('\n') + more] satisfies [string, string]]
      : []),
    ...(files.length > 0 ? [['files', files.map((path) => quoted(path)).join(', ')] satisfies [string, string]] : []),
  ];
}

/** A run that is to be ended, or repeated. */
export async function runParts(
  { action, repository, run }: { action: string; repository: string; run: Run | null },
  targets: readonly Target[],
  context: Context,
): Promise<PreviewPart[]> {
  if (run === null) return [];
  if (action === 'cancel') return cancelParts(run);
  const { path, branch, sha } = run;
  return launchParts({ repository, workflow: path, ref: branch, sha, inputs: null, targets }, context);
}

function cancelParts(run: Run): PreviewPart[] {
  return [
    {
      kind: 'facts',
      title: `Ends ${runName(run)}`,
      rows: [
        ['workflow', quoted(run.workflow)],
        ['title', quoted(run.title)],
        ['commit', run.sha],
        ['state', `${run.status}, attempt ${run.attempt}, since ${run.created}`],
      ],
    },
    {
      kind: 'undo',
      text: `gh-run with action rerun starts it again; what its jobs had done by then stays as they left it.`,
    },
  ];
}

/** A held merge: its commits and the difference that it makes. `report`: as the plan shows reviews and checks. */
export async function mergeParts(
  {
    repository,
    number,
    base,
    sha,
    report,
  }: { repository: string; number: number; base: string; sha: string; report: string },
  context: Context,
): Promise<PreviewPart[]> {
  const { pulls, runs } = context.github;
  const [between, diff] = await Promise.all([
    softly(context, (call) => runs.compare(repository, { base, head: sha }, call)),
    softly(context, (call) => pulls.diff(repository, number, call)),
  ]);
  return [
    { kind: 'diff', title: `Pull request ${number} of ${repository}, its reviews and checks`, text: report },
    {
      kind: 'facts',
      title: `What comes into ${base}`,
      rows: 'value' in between ? comparisonRows(between.value) : [['what changed', `unknown: ${between.unknown}`]],
    },
    'value' in diff
      ? { kind: 'diff', title: 'The difference that it makes', text: diff.value }
      : { kind: 'facts', title: 'The difference that it makes', rows: [['diff', `unknown: ${diff.unknown}`]] },
    {
      kind: 'undo',
      text: `A pull request that reverts it (GitHub offers one on the merged request's page). What workflows did that the merge started is not undone by it.`,
    },
  ];
}

/** A held opening of a pull request. */
export function openingParts(pull: { title: string; body: string; head: string; base: string }): PreviewPart[] {
  return [
    {
      kind: 'facts',
      title: 'The pull request',
      rows: [
        ['from', pull.head],
        ['into', pull.base],
        ['title', quoted(pull.title)],
      ],
    },
    { kind: 'diff', title: 'Its text', text: pull.body },
    { kind: 'undo', text: 'It can be closed on GitHub; who was notified of it, and what its workflows did, stays.' },
  ];
}
