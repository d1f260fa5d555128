import { z } from 'zod';

import {
  chosenRepository,
  MERGE_METHODS,
  mergeParts,
  openingParts,
  planMerge,
  planOpening,
  pullInput,
  pullReport,
  pullTarget,
  pullsText,
  REPOSITORY,
} from '../../adapters/github/port.ts';
import type { PullAct } from '../../adapters/github/port.ts';
import type { Plan } from '../../core/plan.ts';
import { defineTool } from '../../core/tool.ts';

/** Pull requests that a list shows. */
const SHOWN = 20;

const input = z.strictObject({
  action: z.enum(['pr-list', 'pr-view', 'pr-create', 'pr-merge']),
  number: z
    .int()
    .refine((number) => number > 0, 'Pull requests count from 1.')
    .optional(),
  title: z.string().optional(),
  body: z.string().optional(),
  head: z.string().optional(),
  base: z.string().optional(),
  // The names are left out of the advertised schema, for every agent would pay for them in tokens.
  method: z.string().pipe(z.enum(MERGE_METHODS)).optional(),
  repository: z
    .string()
    .refine((name) => REPOSITORY.test(name), 'Write owner/name.')
    .optional(),
});

const pull = z.strictObject({
  number: z.number(),
  title: z.string(),
  author: z.string(),
  head: z.string(),
  base: z.string(),
  state: z.enum(['open', 'closed', 'merged']),
  draft: z.boolean(),
  url: z.string(),
});

export default defineTool({
  name: 'github-api',
  title: 'GitHub pull requests',
  description: 'Pull requests. Merging needs a review and green checks, then approval.',
  keywords: ['github', 'pr', 'review', 'checks', 'branch', 'squash', 'rebase', 'mergeable'],
  effect: 'write',
  needs: ['github'],
  input,
  output: z.strictObject({
    pulls: z.array(pull).optional(),
    /** Whether there are more open ones than are shown. */
    more: z.boolean().optional(),
    pull: pull.extend({ sha: z.string().optional(), changedFiles: z.number().optional() }).optional(),
    reviews: z
      .array(z.strictObject({ by: z.string(), state: z.string(), counts: z.boolean(), why: z.string().optional() }))
      .optional(),
    /** Those that are green or skipped are only counted. */
    checks: z
      .strictObject({ green: z.number(), skipped: z.number(), pending: z.array(z.string()), red: z.array(z.string()) })
      .optional(),
    merge: z.strictObject({ ok: z.boolean(), missing: z.array(z.string()) }).optional(),
    /** False where one of the same branches was open already. */
    created: z.boolean().optional(),
    /** The commit that came of a merge. */
    merged: z.string().optional(),
    next: z.string().optional(),
  }),

  targets(written, { facts }) {
    const repository = chosenRepository(written.repository, facts);
    const wanted = pullInput(written);
    if (wanted.action === 'pr-create') return [pullTarget(repository, 'pull-request', 'write', wanted.head)];
    if (wanted.action !== 'pr-merge') return [pullTarget(repository, 'pull-request', 'read')];
    // Without a base only the pull request tells where it goes: so far it is looked at, and the plan adds the rest.
    return [pullTarget(repository, 'merge', wanted.base === undefined ? 'read' : 'write', wanted.base)];
  },

  async plan(written, call): Promise<Plan<PullAct>> {
    const wanted = pullInput(written);
    const repository = await call.github.pulls.repository(chosenRepository(written.repository, call.facts), call);
    if (wanted.action === 'pr-create') return planOpening(call.github.pulls, wanted, repository, call);
    if (wanted.action === 'pr-merge') return planMerge(call.github.pulls, wanted, repository, call);
    const { name } = repository;
    const one = wanted.action === 'pr-view';
    const does = one ? `look at pull request ${wanted.number} of ${name}` : `list the open pull requests of ${name}`;
    const path = `/repos/${name}/pulls${one ? `/${wanted.number}` : ''}`;
    return {
      effect: 'read',
      targets: [pullTarget(name, 'pull-request', 'read')],
      preconditions: [],
      steps: [{ id: 'look', does, call: { method: 'GET', path } }],
      preview: { summary: does },
      data: { ...wanted, repository: name },
    };
  },

  async preview({ data, preview: { text = '' } }, call) {
    if (data.action === 'pr-create') return openingParts(data.pull);
    if (data.action !== 'pr-merge') return [];
    const { repository, number, base, how } = data;
    return mergeParts({ repository, number, base, sha: how.sha, report: text }, call);
  },

  async run({ data }, call) {
    const { pulls } = call.github;
    const { action, repository } = data;
    if (action === 'pr-list') return pulls.list(repository, { head: data.head, base: data.base, limit: SHOWN }, call);
    if (action === 'pr-view') return { ...pullReport(await pulls.view(repository, data.number, call)) };
    if (action === 'pr-create') {
      const made = data.open ? { pull: data.open, created: false } : await pulls.create(repository, data.pull, call);
      if (!data.open) call.stepDone('create', { number: made.pull.number, created: made.created });
      return { ...made, next: `pr-view with number ${made.pull.number} shows its reviews and checks.` };
    }
    const merged = await pulls.merge(repository, data.number, data.how, call);
    call.stepDone('merge', { sha: merged });
    return { merged, next: `gh-run with action list and branch ${data.base} shows the workflows it started.` };
  },

  render: pullsText,
});
