import { HoldpointError } from '../../core/errors.ts';
import type { Plan, PreviewPart } from '../../core/plan.ts';
import type { PlanContext } from '../../core/tool.ts';
import { groupAlerts, type AlertReport } from './alerts.ts';
import { matcherText, refuseBroad, silenceTargets, sorted, type Matcher } from './matchers.ts';
import { silencesPath, type SilenceBody } from './silences.ts';
import { readTarget, requireSystem } from './systems.ts';
import { labelText } from './text.ts';
import { durationText, seconds } from './window.ts';

const DEFAULT_FOR = '1h';
const MAX_FOR = 24 * 3600;
/** Kinds of alerts named in a preview. */
const SHOWN = 10;

/** A silence that is to be made; its times are those of the run. A type, not an interface, so that it can be a plan's data. */
export type WantedSilence = { matchers: Matcher[]; seconds: number; comment: string; createdBy: string };

/** How a silence with these matchers is called before it has an id. */
export function silenceName(matchers: readonly Matcher[]): string {
  return `silence on ${sorted(matchers).map(matcherText).join(' ')}`;
}

/** What is sent when it is made at `now` (milliseconds). */
export function silenceBody(
  { matchers, seconds: length, comment, createdBy }: WantedSilence,
  now: number,
): SilenceBody {
  const [startsAt, endsAt] = [now, now + length * 1000].map((at) => new Date(at).toISOString()) as [string, string];
  return { matchers, startsAt, endsAt, createdBy, comment };
}

/**
 * Making a silence, with the alerts that it would silence now.
 *
 * @throws HoldpointError `denied` for matchers that hold it to nothing, `invalid_input` for its length.
 */
export async function plannedSilence(
  written: { matchers: readonly Matcher[]; for?: string | undefined; comment: string },
  call: PlanContext<'monitoring'>,
): Promise<Plan<WantedSilence>> {
  const matchers = sorted(written.matchers);
  refuseBroad(matchers);
  const system = requireSystem('silences', call.facts.monitoring);
  const length = seconds(written.for ?? DEFAULT_FOR);
  if (length === undefined || length === 0 || length > MAX_FOR)
    throw new HoldpointError(
      'invalid_input',
      `${JSON.stringify(written.for?.slice(0, 40))} is no length of a silence.`,
      {
        hint: 'Write such as 30m or 2h, at most 24h.',
      },
    );
  const { comment } = written;
  const wanted = { matchers, seconds: length, comment, createdBy: `${call.principal.person} via holdpoint` };
  const { alerts } = await call.monitoring.firing(matchers, call);
  const name = silenceName(matchers);
  const summary = `${name} for ${durationText(length)}`;
  const times = { startsAt: 'when it runs', endsAt: `${durationText(length)} later` };
  const body = { ...silenceBody(wanted, 0), ...times };
  return {
    effect: 'write',
    targets: silenceTargets(name, matchers, call.facts),
    // Which alerts fire moves by itself: it is shown, and not relied on.
    preconditions: [],
    steps: [{ id: 'silence', does: summary, call: { method: 'POST', system, path: `${silencesPath(system)}s`, body } }],
    preview: {
      summary: `${summary}: ${alerts.length} firing now`,
      text: [`comment: ${comment}`, ...previewLines(groupAlerts(alerts, 0, call.redact))].join('\n'),
    },
    data: wanted,
  };
}

/** Ending a silence. @throws HoldpointError `not_found`, or `conflict` where it has ended. */
export async function plannedEnd(id: string, call: PlanContext<'monitoring'>): Promise<Plan<{ id: string }>> {
  const system = requireSystem('silences', call.facts.monitoring);
  const { state, matchers, createdBy, comment, endsAt } = await call.monitoring.silence(id, call);
  if (state === 'expired')
    throw new HoldpointError('conflict', `The silence ${id} has ended already.`, { hint: 'There is nothing to end.' });
  const summary = `end the ${silenceName(matchers)}`;
  return {
    effect: 'write',
    targets: [
      readTarget('silences', call.facts, `silence ${id}`),
      ...silenceTargets(`silence ${id}`, matchers, call.facts),
    ],
    preconditions: [
      { id: `silence:${id}`, says: `the silence ${id}`, value: { state, matchers: matchers.map(matcherText) } },
    ],
    steps: [
      { id: 'unsilence', does: summary, call: { method: 'DELETE', system, path: `${silencesPath(system)}/${id}` } },
    ],
    preview: { summary, text: `made by ${createdBy} (${comment}), until ${endsAt}` },
    data: { id },
  };
}

/** What people see of a silence that is to be made or ended. `said`: as the plan shows it. */
export function silenceParts(held: {
  make: WantedSilence | null;
  end: { id: string } | null;
  said: string;
}): PreviewPart[] {
  const { make, end, said } = held;
  if (make !== null)
    return [
      {
        kind: 'facts',
        title: 'The silence',
        rows: [
          ['on', make.matchers.map(matcherText).join(' ')],
          ['for', durationText(make.seconds)],
          ['by', make.createdBy],
        ],
      },
      { kind: 'diff', title: 'Its comment, and what it would silence now', text: said },
      { kind: 'undo', text: 'alerts with action unsilence ends it; what fired meanwhile woke nobody.' },
    ];
  if (end === null) return [];
  return [
    { kind: 'diff', title: `The silence ${end.id}`, text: said },
    { kind: 'undo', text: 'alerts with action silence and the same matchers makes it again, with another id.' },
  ];
}

/** Without times, so that planning again gives the same preview. */
function previewLines({ common, groups }: AlertReport): string[] {
  if (groups.length === 0) return ['No alert that fires now would be silenced.'];
  const lines = groups
    .map(({ alert, severity, count, labels, each }) => {
      const apart = (each ?? []).map((text) => `(${text})`);
      return [`silences ${count} × ${alert}`, severity, labelText({ ...common, ...labels }), ...apart]
        .filter(Boolean)
        .join(' ');
    })
    .sort();
  const rest = lines.length - SHOWN;
  return [...lines.slice(0, SHOWN), ...(rest > 0 ? [`and ${rest} more kinds of alerts`] : [])];
}
