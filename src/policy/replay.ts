import type { AuditRecord } from '../audit/chain.ts';
import { VERDICTS } from '../core/decision.ts';
import type { Verdict } from '../core/decision.ts';
import { principalId } from '../core/principal.ts';
import { decide } from './decide.ts';
import type { Policy } from './policy.ts';
import { NotReplayable, recordedCall } from './recorded.ts';
import type { RecordedCall } from './recorded.ts';

/** One recorded call that the other policy answers differently. */
export interface ReplayExample {
  time: string;
  callId: string | null;
  tool: string;
  /** Person, agent and client. */
  principal: string;
  targets: string[];
  /** Of how many targets the list is cut, if it is. */
  more?: number;
  /** The other policy's reason. */
  reason: string;
  /** Why the answer may not be the one that the call itself would get. */
  inexact?: string[];
}

/** Calls whose answer changes in the same way by the same rules. */
export interface Change {
  from: Verdict;
  to: Verdict;
  loosened: boolean;
  /** The rules that decided when it was recorded, and those that decide by the other policy; empty where none matched. */
  was: string[];
  now: string[];
  count: number;
  inexact: number;
  /** The latest ones. */
  examples: ReplayExample[];
}

export interface ReplayReport {
  policy: string;
  digest: string;
  records: number;
  replayed: number;
  same: number;
  loosened: number;
  tightened: number;
  /** Of the replayed, those that the log does not hold all of. */
  inexact: number;
  notReplayed: { why: string; count: number }[];
  /** What is loosened first, then the most frequent. */
  changes: Change[];
}

const MOST_TARGETS = 3;

/**
 * Decides recorded calls again by another policy and says what would change. Nothing is run and nothing is looked at.
 *
 * @param records `opened` records, oldest first; undefined stands for one that cannot be read
 * @param examples how many of each change are kept
 */
export async function replay(
  policy: Policy,
  records: AsyncIterable<AuditRecord | undefined>,
  examples: number,
): Promise<ReplayReport> {
  const changes = new Map<string, Change>();
  const skipped = new Map<string, number>();
  const counts = { records: 0, replayed: 0, same: 0, loosened: 0, tightened: 0, inexact: 0 };
  for await (const record of records) {
    counts.records++;
    const call = readRecord(record, skipped);
    if (record === undefined || call === undefined) continue;
    counts.replayed++;
    if (call.inexact.length > 0) counts.inexact++;
    const { verdict, rules, reason } = decide(policy, call, Date.parse(record.time));
    if (verdict === call.verdict) {
      counts.same++;
      continue;
    }
    const loosened = VERDICTS.indexOf(verdict) < VERDICTS.indexOf(call.verdict);
    counts[loosened ? 'loosened' : 'tightened']++;
    const key = JSON.stringify([call.verdict, verdict, call.rules, rules]);
    const change = changes.get(key) ?? {
      from: call.verdict,
      to: verdict,
      loosened,
      was: call.rules,
      now: rules,
      count: 0,
      inexact: 0,
      examples: [],
    };
    changes.set(key, change);
    change.count++;
    if (call.inexact.length > 0) change.inexact++;
    change.examples.push(exampleOf(record, call, reason));
    if (change.examples.length > examples) change.examples.shift();
  }
  return {
    policy: policy.name,
    digest: policy.digest,
    ...counts,
    notReplayed: [...skipped].map(([why, count]) => ({ why, count })),
    changes: [...changes.values()].sort((a, b) => Number(b.loosened) - Number(a.loosened) || b.count - a.count),
  };
}

function readRecord(record: AuditRecord | undefined, skipped: Map<string, number>): RecordedCall | undefined {
  try {
    if (record === undefined) throw new NotReplayable('the record is damaged (holdpoint audit verify says which)');
    return recordedCall(record);
  } catch (thrown) {
    if (!(thrown instanceof NotReplayable)) throw thrown;
    skipped.set(thrown.message, (skipped.get(thrown.message) ?? 0) + 1);
    return undefined;
  }
}

function exampleOf({ time, callId }: AuditRecord, call: RecordedCall, reason: string): ReplayExample {
  const { tool, principal, targets, inexact } = call;
  const more = targets.length - MOST_TARGETS;
  return {
    time,
    callId,
    tool,
    principal: principalId(principal),
    targets: targets.slice(0, MOST_TARGETS).map(({ effect, kind, id }) => `${effect} ${kind} ${id}`),
    ...(more > 0 ? { more } : {}),
    reason,
    ...(inexact.length > 0 ? { inexact } : {}),
  };
}
