import type { ApprovalRequest, VisiblePlan } from '../approvals/request.ts';
import type { Decision } from '../core/decision.ts';
import type { JsonObject } from '../core/json.ts';
import type { Plan, PreviewPart } from '../core/plan.ts';
import { softly } from '../core/softly.ts';
import type { Redactor } from '../redact/redact.ts';
import { shownDifferences } from './compare.ts';
import { previewParts, type Passage } from './line.ts';
import { commonRisks } from './risks.ts';
import type { Services } from './services.ts';

/** Milliseconds for all that a tool looks up for people; each of its looks has a limit of its own within. */
const LIMIT = 10_000;
/** Characters of a diff, of a value, of a sentence; and how many of each. What is cut is said. */
const DIFF = 20_000;
const CELL = 1000;
const MANY = 60;

/**
 * What people are shown of a plan that is held, secrets masked: the plan, and the parts that its tool and the stored requests have
 * for them. `before`: the stale request that this one replaces.
 */
export async function shownOf(
  passage: Passage,
  plan: Plan,
  decision: Decision,
  before: ApprovalRequest | undefined,
  services: Services,
): Promise<VisiblePlan> {
  const { redactor } = services;
  const { data: _data, manner: _manner, ...visible } = plan;
  const masked = <T extends object>(value: T) => redactor.json(value as unknown as JsonObject) as unknown as T;
  const shown = masked<VisiblePlan>(visible);
  const [own, earlier] = await Promise.all([
    softly({ signal: passage.call.signal }, ({ signal }) => previewParts(passage, plan, signal, services), LIMIT),
    services.approvals.earlier(passage.tool.name, plan.targets),
  ]);
  const parts = 'value' in own ? own.value : undefined;
  const risks = [
    ...(parts ?? []).flatMap((part) => (part.kind === 'risks' ? part.items : [])),
    ...commonRisks(passage.tool.name, plan, decision, earlier, new Date(services.now())),
  ];
  const all: PreviewPart[] = [
    ...(before ? [sinceStale(before, shown)] : []),
    ...(risks.length > 0 ? [{ kind: 'risks' as const, items: risks }] : []),
    ...(parts ?? []).filter(({ kind }) => kind !== 'risks'),
    ...('unknown' in own ? [notGathered(own.unknown)] : []),
  ];
  const { summary, text } = shown.preview;
  // What a tool has for people says all that its text for agents says.
  const instead = parts !== undefined && parts.length > 0;
  return {
    ...shown,
    preview: {
      summary,
      ...(text === undefined || instead ? {} : { text }),
      ...(all.length > 0 ? { parts: all.slice(0, MANY).map((part) => bounded(masked(part))) } : {}),
    },
  };
}

function sinceStale({ id, note, plan, approvalsGiven }: ApprovalRequest, now: VisiblePlan): PreviewPart {
  const changes = [...(note?.changes ?? []), ...shownDifferences(plan, now)];
  const rows = changes.map(({ what, was, is }): [string, string] => [what, `then ${was}\nnow ${is}`]);
  return {
    kind: 'facts',
    title: `What differs from ${id}, which ${approvalsGiven > 0 ? 'was approved and ' : ''}went stale`,
    rows: rows.length > 0 ? rows : [['nothing', 'that was shown then is different now']],
  };
}

function notGathered(why: string): PreviewPart {
  return { kind: 'facts', title: 'More about this', rows: [['not looked up', why]] };
}

function bounded(part: PreviewPart): PreviewPart {
  switch (part.kind) {
    case 'diff':
      return { ...part, text: cut(part.text, DIFF) };
    case 'facts': {
      const rows = part.rows.slice(0, MANY).map(([label, value]): [string, string] => [label, cut(value, CELL)]);
      const left = part.rows.length - rows.length;
      return { ...part, rows: left > 0 ? [...rows, ['…', `${left} more are not shown`]] : rows };
    }
    case 'risks':
      return { ...part, items: part.items.slice(0, MANY).map((item) => cut(item, CELL)) };
    case 'undo':
      return { ...part, text: cut(part.text, CELL) };
  }
}

function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, max);
  const whole = head.includes('\n') ? head.slice(0, head.lastIndexOf('\n')) : head;
  return `${whole}\n… ${text.length - whole.length} more characters are not shown`;
}

/** What moved, its secrets masked. */
export function redactChanges<C extends { was: string; is: string }>(changes: readonly C[], { text }: Redactor): C[] {
  return changes.map((change) => ({ ...change, was: text(change.was), is: text(change.is) }));
}
