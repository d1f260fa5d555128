import type { AuditRecord } from '../audit/chain.ts';
import { VERDICTS } from '../core/decision.ts';
import type { Verdict } from '../core/decision.ts';
import { EFFECTS } from '../core/effect.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Principal } from '../core/principal.ts';
import { SELECTORS, TARGET_KINDS } from '../core/target.ts';
import type { Target } from '../core/target.ts';
import { MASK } from '../redact/mask.ts';

/** A call as `decide` saw it, from its `opened` record. */
export interface RecordedCall {
  tool: string;
  principal: Principal;
  targets: Target[];
  verdict: Verdict;
  rules: string[];
  /** Why the record may not be all that `decide` saw; empty where it is. */
  inexact: string[];
}

/** Why a record cannot be decided again. */
export class NotReplayable extends Error {}

/** @throws NotReplayable */
export function recordedCall({ data }: Pick<AuditRecord, 'data'>): RecordedCall {
  if (data['omitted'] !== undefined) throw new NotReplayable('the record was too large for the log');
  if (data['approval'] !== undefined && data['targets'] === undefined)
    throw new NotReplayable('the run of an approved request, which no policy decides; the call that asked is replayed');
  const { tool, verdict, targets } = data;
  const known = VERDICTS.find((each) => each === verdict);
  if (typeof tool !== 'string' || known === undefined || !Array.isArray(targets))
    throw new NotReplayable('the record does not say what was decided');
  const inexact = new Set<string>();
  const read = targets.map((target) => targetOf(target, inexact));
  // Before the log kept their number, fifty targets may have been more.
  const count =
    typeof data['targetCount'] === 'number' ? data['targetCount'] : read.length < 50 ? read.length : Infinity;
  if (count > read.length)
    inexact.add(`only ${read.length} of ${Number.isFinite(count) ? count : 'perhaps more'} targets are in the log`);
  const rules = Array.isArray(data['rules']) ? data['rules'].filter((rule) => typeof rule === 'string') : [];
  return {
    tool,
    principal: principalOf(data['principal']),
    targets: read,
    verdict: known,
    rules,
    inexact: [...inexact],
  };
}

function targetOf(recorded: Json, inexact: Set<string>): Target {
  if (!isJsonObject(recorded)) throw new NotReplayable('a target is not readable');
  const kind = TARGET_KINDS.find((each) => each === recorded['kind']);
  const effect = EFFECTS.find((each) => each === recorded['effect']);
  if (kind === undefined || effect === undefined)
    throw new NotReplayable('a target is of a kind that is not known here');
  const { path, command, resource } = recorded;
  const at = isJsonObject(recorded['at']) ? recorded['at'] : undefined;
  return {
    kind,
    effect,
    id: text('id', recorded['id']) ?? '',
    ...optional('path', text('path', path)),
    ...optional('command', text('command', command)),
    ...optional('resource', text('resource', resource)),
    ...(at === undefined ? {} : { at: Object.fromEntries(placesOf(at)) }),
  };

  function* placesOf(written: JsonObject): Iterable<[string, string]> {
    for (const selector of SELECTORS) {
      const value = text(selector, written[selector]);
      if (value !== undefined) yield [selector, value];
    }
  }

  function text(key: string, value: Json | undefined): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string') {
      // Of a long text the log keeps the hash. Rules seldom ask for the id, so the rest is worth deciding on.
      if (key !== 'id') throw new NotReplayable(`the ${key} of a target is too long for the log`);
      inexact.add('the id of a target is too long for the log');
      return '(too long)';
    }
    if (value.includes(MASK)) inexact.add(`the ${key} of a target is masked in part`);
    return value;
  }
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}

/** No rule asks for the principal yet; records of before it was kept have none. */
function principalOf(id: Json | undefined): Principal {
  const parts = typeof id === 'string' ? id.split('/').map(decoded) : [];
  const [person = 'unknown', agent = 'unknown', client = 'unknown'] = parts;
  return { person, agent, client };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
