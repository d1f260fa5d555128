import type { ChecklistItem, Phase } from '../core/checklist.ts';
import type { ApprovalTerms } from '../core/decision.ts';
import type { JsonObject } from '../core/json.ts';
import type { SignedDecision, SignedRemark } from './request.ts';

const BY_HAND = 'ticked by hand; ';

/** What was found for one item. `failed`: it was looked at and is not so. `unknown`: it could not be looked at. */
export interface Found {
  /** The item's id. */
  item: string;
  state: 'ok' | 'failed' | 'unknown';
  /** What was seen, or why nothing was, in one line. */
  says: string;
}

/** One item as it stands. */
export interface ItemState {
  /** `checklist/item`. */
  id: string;
  phase: Phase;
  says: string;
  kind: 'person' | 'evidence';
  /** Only `ok` counts as ticked. `open`: a person has not ticked it. */
  state: 'ok' | 'failed' | 'unknown' | 'open';
  /** What Holdpoint found; items with evidence only. */
  evidence?: string;
  /** Who ticked it, where a person did. */
  by?: string;
  /** Whether a person may tick it as it stands. */
  mayTick: boolean;
}

type Terms = Pick<ApprovalTerms, 'checklists' | 'windows' | 'items'>;

/**
 * How every item stands: ticked by evidence, or by somebody whose approval counts (after the run: who said so then). Pure.
 *
 * @param found what was looked at just now; an item with evidence that is not among it is unknown
 */
export function checklistOf(
  terms: Terms,
  ticks: readonly (SignedDecision | SignedRemark)[],
  found: readonly Found[],
): ItemState[] {
  const by = (id: string) => ticks.find(({ ticked }) => ticked.includes(id))?.approver;
  const known = (terms.items ?? []).map((item) => stateOf(item, by(item.id), foundFor(item, terms, found)));
  const missing = terms.checklists.filter((name) => !known.some(({ id }) => id.startsWith(`${name}/`)));
  return [
    ...known,
    ...missing.map((name): ItemState => ({
      id: `${name}/items`,
      phase: 'pre',
      says: 'What this checklist asks for.',
      kind: 'evidence',
      state: 'unknown',
      evidence: 'the request was stored without its items; the call must be made again',
      mayTick: false,
    })),
  ];
}

/** What holds the run back. */
export function openBefore(items: readonly ItemState[]): ItemState[] {
  return items.filter(({ phase, state }) => phase === 'pre' && state !== 'ok');
}

/** Items that something has to be looked at for. */
export function toLookAt({ items = [] }: Terms, phases: readonly Phase[]): ChecklistItem[] {
  return items.filter(
    ({ phase, evidence }) => phases.includes(phase) && evidence !== undefined && evidence.kind !== 'window',
  );
}

/** `production-deployment/backup-created (failed: no run of backup has succeeded)`. */
export function itemText({ id, state, evidence }: ItemState): string {
  return evidence === undefined ? id : `${id} (${state}: ${evidence})`;
}

/** What the log keeps of an item with a decision or a claim. */
export type Recorded = Pick<ItemState, 'id' | 'state' | 'evidence' | 'by'>;

export function recorded(items: readonly ItemState[]): JsonObject[] {
  return items
    .filter(({ phase }) => phase === 'pre')
    .map(({ id, state, evidence, by }) => ({ id, state, ...(evidence && { evidence }), ...(by && { by }) }));
}

/** What was found for an item then; nothing where only a person could know. */
export function foundOf({ id, state, evidence, by }: Recorded): Found[] {
  if (evidence === undefined || state === 'open') return [];
  const byHand = by !== undefined;
  return [{ item: id, state: byHand ? 'unknown' : state, says: byHand ? evidence.replace(BY_HAND, '') : evidence }];
}

function foundFor(item: ChecklistItem, { windows }: Terms, found: readonly Found[]): Found {
  if (item.evidence?.kind === 'window')
    return windows.length > 0
      ? { item: item.id, state: 'ok', says: `it runs only in ${windows.join(' and ')}` }
      : { item: item.id, state: 'unknown', says: 'the rule names no window' };
  return found.find((each) => each.item === item.id) ?? { item: item.id, state: 'unknown', says: 'not looked at' };
}

function stateOf(item: ChecklistItem, by: string | undefined, { state, says }: Found): ItemState {
  const { id, phase, says: text, evidence, personMayTick } = item;
  const base = { id, phase, says: text };
  if (evidence === undefined)
    return { ...base, kind: 'person', state: by === undefined ? 'open' : 'ok', ...(by && { by }), mayTick: true };
  const mayTick = personMayTick && state === 'unknown';
  const byHand = mayTick && by !== undefined;
  return {
    ...base,
    kind: 'evidence',
    state: byHand ? 'ok' : state,
    evidence: byHand ? `${BY_HAND}${says}` : says,
    ...(byHand && { by }),
    mayTick,
  };
}
