import type { Decision } from '../core/decision.ts';
import { cutAtWord } from '../core/cut.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { HandOff } from '../hand-offs/hand-offs.ts';
import { denied, type Answer } from './answer.ts';
import type { Call, Services } from './services.ts';

const MAX_TARGETS = 10;
const MAX_ARGUMENTS = 12;
const MAX_VALUE = 160;
/** Arguments that hold what is written somewhere, under whatever tool: their size is told, never what is in them. */
const CONTENT = /content|text|body|manifest|patch|secret|payload|message|note|^(?:env|data|values?|input|stdin)$/i;

/**
 * The answer to a refused call. Where its rule names another role, a record of it is left for that role's agents, unless the
 * persona leaves none; a refusal stays one where that fails.
 */
export async function refused(
  decision: Decision,
  call: Pick<Call, 'id' | 'tool' | 'arguments' | 'principal'>,
  services: Services,
): Promise<Answer> {
  const { handOff: to, consult } = decision;
  if (to === undefined) return denied(decision);
  const whom = consult ? `Consult ${to}` : `Give this work to ${to}`;
  if (!services.persona.handOffs) return denied(decision, `${whom}; go on with what is yours.`);
  try {
    const { id } = await recordRefusal(decision, to, call, services);
    return denied(
      decision,
      `${whom}: hand-off ${id} is left for that role, whose agent reads it with hand-offs. Go on with what is yours.`,
    );
  } catch (err) {
    services.log('warn', { callId: call.id, err }, 'a hand-off could not be recorded');
    return denied(decision, `${whom}; no record could be left, so tell a person.`);
  }
}

function recordRefusal(
  { rules, reason, consult, targets }: Decision,
  to: string,
  { id, tool, arguments: given, principal }: Pick<Call, 'id' | 'tool' | 'arguments' | 'principal'>,
  { handOffs, redactor }: Services,
): Promise<HandOff> {
  const [rule] = rules;
  const deciding = targets
    .filter(({ verdict }) => verdict === 'deny')
    .map(({ target }) => `${target.effect} ${target.kind} ${target.id}`);
  const words = (text: string) => cutAtWord(redactor.text(text), 500);
  return handOffs.leave(
    {
      to,
      wants: consult ? 'consult' : 'delegate',
      by: 'refusal',
      from: principal,
      what: { tool: tool.slice(0, 100), targets: deciding.slice(0, MAX_TARGETS).map(words) },
      why: { ...(rule !== undefined && { rule }), reason: words(reason) },
      context: redactor.json(digest(given)),
    },
    id,
  );
}

/** A call's arguments as far as they tell what was meant: names, paths, numbers; never what was to be written. */
function digest(given: unknown): JsonObject {
  if (typeof given !== 'object' || given === null) return {};
  const entries = Object.entries(given as Record<string, unknown>).slice(0, MAX_ARGUMENTS);
  return Object.fromEntries(entries.map(([key, value]): [string, Json] => [key.slice(0, 60), told(key, value)]));
}

function told(key: string, value: unknown): Json {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  const isShort = (text: unknown): text is string =>
    typeof text === 'string' && text.length <= MAX_VALUE && !/[\r\n]/.test(text);
  if (!CONTENT.test(key)) {
    if (isShort(value)) return value;
    if (Array.isArray(value) && value.length <= 20 && value.every(isShort)) return value;
  }
  const { length } = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return `(${length} characters)`;
}
