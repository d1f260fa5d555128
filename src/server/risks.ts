import type { Earlier } from '../approvals/history.ts';
import type { Decision } from '../core/decision.ts';
import { lookAlikes, quoted } from '../core/foreign.ts';
import type { Plan } from '../core/plan.ts';
import { isRuntime } from '../core/target.ts';

/** Hours in which most people are there to see what a change does, Monday to Friday, on this machine's clock. */
const FROM = 9;
const TO = 17;

/** What makes a held call riskier than others of its kind, as far as Holdpoint can know it of any tool: a sentence each. */
export function commonRisks(
  tool: string,
  plan: Plan,
  { environment }: Decision,
  earlier: readonly Earlier[],
  now: Date,
): string[] {
  const runtime = plan.targets.filter(({ kind }) => isRuntime(kind));
  const names = runtime.flatMap(({ id, at }) => [id, ...Object.values(at ?? {})]);
  return [
    ...lookAlikes(names.length > 0 ? names : plan.targets.map(({ id }) => id)),
    ...pastRisks(tool, runtime.length > 0, earlier),
    ...(runtime.length > 0 && environment !== undefined && !isWorkingTime(now)
      ? [`asked for outside of Monday to Friday ${FROM}–${TO} h on this machine's clock (${clockText(now)})`]
      : []),
  ];
}

function pastRisks(tool: string, runtime: boolean, earlier: readonly Earlier[]): string[] {
  const ran = earlier.filter(({ state }) => state !== 'denied');
  const [last] = ran;
  const denied = earlier.find(({ state }) => state === 'denied');
  return [
    ...(last === undefined && runtime
      ? [`the first time here: no approved ${tool} has run on this target, as far as the stored requests go back`]
      : []),
    ...(last?.state === 'failed' || last?.state === 'unknown'
      ? [
          `follows a run that ${last.state === 'failed' ? 'failed' : 'nobody saw the end of'} on the same target (${last.id}, ${at(last)})`,
        ]
      : []),
    ...(denied
      ? [
          `a person said no to ${tool} on the same target at ${at(denied)} (${denied.id})${denied.reason ? `: ${quoted(denied.reason)}` : ''}`,
        ]
      : []),
  ];
}

function isWorkingTime(now: Date): boolean {
  const weekday = now.getDay() >= 1 && now.getDay() <= 5;
  return weekday && now.getHours() >= FROM && now.getHours() < TO;
}

function clockText(now: Date): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return `${now.toLocaleString('en-GB', { weekday: 'short', hour: '2-digit', minute: '2-digit' })}, ${zone}`;
}

function at({ at: ms }: Earlier): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
