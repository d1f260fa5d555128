import { quoted } from '../../core/foreign.ts';
import { repositoryTarget } from '../git/port.ts';
import type { Context } from './looking.ts';
import type { RunRecord } from './port.ts';

/** Others' words in a fact: on one line, between marks, masked, with nothing in them that is Markdown's or a placeholder's. */
export function said(text: string, redact: (text: string) => string, max = 160): string {
  return quoted(redact(text), max).replaceAll('`', "'").replaceAll('{{', '{ {').replaceAll('<!--', '< !--');
}

const DEPLOYS = ['kubectl-rollout', 'gh-workflow-run', 'launch-process'];
const CHECKS = ['web-fetch', 'kubectl-get', 'kubectl-rollout'];
const LIMIT = 10;
const LOOKED_AT = 200;

interface Wanted {
  tools: readonly string[];
  fits: (run: RunRecord) => boolean;
  /** A check ran; what it saw is not in the log. */
  checks?: boolean;
}

const writes = ({ targets }: RunRecord) => targets.some(({ effect }) => effect !== 'read');
const inThe = (environment: string) => (run: RunRecord) => run.environment === environment;

const SLOTS: Readonly<Record<string, Wanted>> = {
  'staging-deployments': deployments('staging'),
  'production-deployments': deployments('production'),
  'staging-checks': checks('staging'),
  'production-checks': checks('production'),
  rollbacks: { tools: DEPLOYS, fits: (run) => writes(run) && run.purpose === 'rollback' },
};

function deployments(environment: string): Wanted {
  return { tools: [...DEPLOYS, 'docker-build'], fits: (run) => inThe(environment)(run) && writes(run) };
}

function checks(environment: string): Wanted {
  return { tools: CHECKS, fits: (run) => inThe(environment)(run) && !writes(run), checks: true };
}

/** What Holdpoint knows for a slot of a template, as lines of a list; undefined where it knows nothing. */
export async function slotText(slot: string, context: Context): Promise<string | undefined> {
  if (slot === 'tags') return tagsText(context);
  const wanted = SLOTS[slot];
  if (!wanted) return undefined;
  const { records, principal, permits, redact } = context;
  const runs = (await records.runs(wanted.tools, LOOKED_AT, principal))
    .filter((run) => wanted.fits(run) && run.targets.every((target) => permits({ ...target, effect: 'read' })))
    .slice(0, LIMIT);
  if (runs.length === 0) return undefined;
  const result = { done: wanted.checks ? 'ran' : 'done', failed: 'failed', unknown: 'outcome unknown' };
  return [
    ...runs.map(({ at, tool, summary, environment, targets, digests, approval, ...run }) =>
      [
        `- ${at}: ${tool}, ${said(summary, redact)}`,
        `${environment} (${targets
          .slice(0, 3)
          .map(({ id }) => said(id, redact, 80))
          .join(', ')})`,
        result[run.result],
        ...(wanted.checks ? [] : [digests.length > 0 ? digests.join(', ') : 'no image named by digest']),
        ...(approval === undefined ? [] : [`approved as ${approval}`]),
        `call ${run.callId}`,
      ].join('; '),
    ),
    '',
    wanted.checks
      ? 'From Holdpoint’s audit log: that these checks ran. What they saw is to be written below.'
      : 'From Holdpoint’s audit log.',
  ].join('\n');
}

async function tagsText(context: Context): Promise<string | undefined> {
  if (!context.permits(repositoryTarget('workspace', 'tag', 'read'))) return undefined;
  // A workspace that is no repository has no tags.
  const tags = await context.git.refs('tag', 5, context).catch(() => []);
  return tags.length === 0 ? undefined : tags.map((tag) => `- ${said(tag, context.redact)}`).join('\n');
}
