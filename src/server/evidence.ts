import { findWorkflow } from '../adapters/github/port.ts';
import { durationText, readMatchers } from '../adapters/monitoring/port.ts';
import type { Found } from '../approvals/checklists.ts';
import type { EvidenceSource } from '../approvals/evidence.ts';
import type { VisiblePlan } from '../approvals/request.ts';
import type { ChecklistItem, EvidenceWanted } from '../core/checklist.ts';
import { asHoldpointError } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Ports } from '../core/tool.ts';
import { podsFound } from './evidence-pods.ts';

/** Milliseconds for one item: people wait for it, and so does a claim. */
const LIMIT = 10_000;
/** How far GitHub's clock may be ahead of this one. */
const CLOCK_SKEW = 300_000;
const RUNS = 30;
const MAX_SAYS = 200;

export type EvidencePorts = Pick<Ports, 'github' | 'kubernetes' | 'monitoring'>;

/** What is seen of one item. Thrown errors become `unknown`, with their message. */
export type Look = Omit<Found, 'item'>;

export interface Looking {
  ports: EvidencePorts;
  facts: Pick<Facts, 'github'>;
  plan: VisiblePlan;
  call: { callId: string; signal: AbortSignal; redact: (text: string) => string };
  now: number;
}

interface Sources {
  ports: EvidencePorts;
  facts: Pick<Facts, 'github'>;
  redact: (text: string) => string;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Looks with the ports that tools use as well. Nothing is changed anywhere. */
export function createEvidence({ ports, facts, redact, now = Date.now }: Sources): EvidenceSource {
  return {
    look: (body, items) =>
      Promise.all(
        items.map(async (item): Promise<Found> => {
          const call = { callId: `evidence-${body.id}`, signal: AbortSignal.timeout(LIMIT), redact };
          const look = await seen(item, { ports, facts, plan: body.plan, call, now: now() });
          return { item: item.id, state: look.state, says: redact(look.says).slice(0, MAX_SAYS) };
        }),
      ),
  };
}

async function seen({ evidence }: ChecklistItem, looking: Looking): Promise<Look> {
  const { promise: over, resolve } = Promise.withResolvers<Look>();
  const late = () => resolve({ state: 'unknown', says: `no answer within ${LIMIT / 1000} s` });
  looking.call.signal.addEventListener('abort', late, { once: true });
  const look = lookFor(evidence, looking).catch((thrown: unknown): Look => {
    const { code, message } = asHoldpointError(thrown);
    return { state: 'unknown', says: code === 'internal' ? 'looking at it failed' : message };
  });
  return Promise.race([look, over]);
}

async function lookFor(wanted: EvidenceWanted | undefined, looking: Looking): Promise<Look> {
  switch (wanted?.kind) {
    case 'checks':
      return checksOf(wanted, looking);
    case 'job':
      return jobOf(wanted, looking);
    case 'pods':
      return podsFound(looking);
    case 'alerts':
      return alertsOf(wanted, looking);
    // Windows are the rule's own: nothing has to be looked at.
    case 'window':
    case undefined:
    default:
      return { state: 'unknown', says: 'this Holdpoint cannot look at it' };
  }
}

/** The one commit that the plan is bound to, from what it says it relies on. */
function commitOf({ preconditions }: VisiblePlan): string | undefined {
  const commits = preconditions.flatMap(({ id, value }) =>
    /^(?:ref:|branch:|head$|commit$)/.test(id) && typeof value === 'string' && /^[0-9a-f]{40}$/.test(value)
      ? value
      : [],
  );
  return new Set(commits).size === 1 ? commits[0] : undefined;
}

/** The repository that the plan's requests go to, else the configured one. */
function repositoryOf({ plan, facts }: Looking, named: string | undefined): string | undefined {
  const paths = plan.steps.map(({ call }) => (typeof call === 'object' && call && 'path' in call ? call['path'] : ''));
  const asked = paths.flatMap(
    (path) => /^\/repos\/([\w-]+\/[\w.-]+)\//.exec(typeof path === 'string' ? path : '')?.[1] ?? [],
  );
  return named ?? asked[0] ?? facts.github.repository;
}

async function checksOf({ repository: named }: { repository?: string }, looking: Looking): Promise<Look> {
  const [commit, repository] = [commitOf(looking.plan), repositoryOf(looking, named)];
  if (commit === undefined) return { state: 'unknown', says: 'the call names no commit' };
  if (repository === undefined) return { state: 'unknown', says: 'which repository is not known' };
  const checks = await looking.ports.github.pulls.checks(repository, commit, looking.call);
  const at = `${commit.slice(0, 7)} of ${repository}`;
  if (checks.length === 0) return { state: 'unknown', says: `${at} has no checks` };
  const wrong = checks.filter(({ outcome }) => outcome !== 'green' && outcome !== 'neutral');
  if (wrong.length === 0) return { state: 'ok', says: `all ${checks.length} checks of ${at} passed` };
  const some = wrong.slice(0, 3).map(({ name, outcome }) => `${name} ${outcome}`);
  return {
    state: 'failed',
    says: `${wrong.length} of ${checks.length} checks of ${at} have not passed: ${some.join(', ')}`,
  };
}

async function jobOf(wanted: Extract<EvidenceWanted, { kind: 'job' }>, looking: Looking): Promise<Look> {
  const { ports, call, now } = looking;
  const repository = repositoryOf(looking, wanted.repository);
  if (repository === undefined) return { state: 'unknown', says: 'which repository is not known' };
  const { runs } = ports.github;
  const workflow = findWorkflow(await runs.workflows(repository, call), wanted.workflow, repository);
  const filter = { workflow: workflow.id, limit: RUNS, ...(wanted.branch && { branch: wanted.branch }) };
  const recent = (await runs.list(repository, filter, call)).runs.filter(
    ({ created }) => now - Date.parse(created) <= wanted.within,
  );
  if (recent.some(({ created }) => Date.parse(created) > now + CLOCK_SKEW))
    return { state: 'unknown', says: "a run is dated in the future: this machine's clock is behind" };
  for (const run of recent) {
    const succeeded =
      wanted.job === undefined
        ? run.conclusion === 'success'
        : // oxlint-disable-next-line no-await-in-loop -- the newest that succeeded is enough
          (await runs.jobs(repository, run.id, call)).some(
            ({ name, conclusion }) => name === wanted.job && conclusion === 'success',
          );
    if (succeeded) return { state: 'ok', says: `${nameOf(wanted)} succeeded, run ${run.id} begun at ${run.created}` };
  }
  return { state: 'failed', says: `no run of ${nameOf(wanted)} succeeded within ${durationText(wanted.within / 1000)}` };
}

function nameOf({ workflow, job }: Extract<EvidenceWanted, { kind: 'job' }>): string {
  return job === undefined ? workflow : `${job} of ${workflow}`;
}

async function alertsOf(
  { are, matching }: Extract<EvidenceWanted, { kind: 'alerts' }>,
  { ports, call }: Looking,
): Promise<Look> {
  const matchers = readMatchers(matching);
  if (are === 'quiet') {
    const { alerts } = await ports.monitoring.firing(matchers, call);
    if (alerts.length === 0) return { state: 'ok', says: 'no alert is firing' };
    const names = [...new Set(alerts.map(({ labels }) => labels['alertname'] ?? 'unnamed'))].slice(0, 3);
    return { state: 'failed', says: `${alerts.length} alerts are firing: ${names.join(', ')}` };
  }
  const rules = await ports.monitoring.rules(matchers, call);
  const broken = rules.filter(({ state }) => state === 'error').map(({ rule }) => rule);
  if (rules.length === 0) return { state: 'failed', says: 'no alert rule is loaded' };
  return broken.length === 0
    ? { state: 'ok', says: `${rules.length} alert rules are loaded` }
    : {
        state: 'failed',
        says: `${broken.length} of ${rules.length} alert rules fail: ${broken.slice(0, 3).join(', ')}`,
      };
}
