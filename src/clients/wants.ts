import { isDeepStrictEqual } from 'node:util';

import { isJsonObject, type Json } from '../core/json.ts';
import { insertAt, setAt } from './json-edit.ts';
import { valueAt, type JsonText } from './json-text.ts';

/** One thing that a settings file shall say; what else it says stays. */
export type Want =
  /** A list holds these, in any place. */
  | { at: readonly string[]; has: readonly Json[] }
  /** A list of rules where the first that names a tool (`toolName`) counts: for each of these it is this very rule. */
  | { at: readonly string[]; first: readonly { toolName: string; [key: string]: Json }[] }
  | { at: readonly string[]; is: Json }
  /** Any value will do; this one where there is none. */
  | { at: readonly string[]; default: Json };

/** Whether a file says it. */
export function holds(text: JsonText, want: Want): boolean {
  return missing(text, want).length === 0;
}

/** The file with what it lacks. */
export function fulfil(text: JsonText, want: Want): JsonText {
  const lacking = missing(text, want);
  if (lacking.length === 0) return text;
  if ('is' in want) return setAt(text, want.at, want.is);
  if ('default' in want) return setAt(text, want.at, want.default);
  if (!Array.isArray(valueAt(text, want.at))) return setAt(text, want.at, lacking);
  if ('first' in want)
    return lacking.toReversed().reduce<JsonText>((all, rule) => insertAt(all, want.at, 'start', rule), text);
  return lacking.reduce<JsonText>((all, each) => insertAt(all, want.at, 'end', each), text);
}

/** What a want adds, for people. */
export function wantText(want: Want): string {
  const key = want.at.join('.');
  if ('is' in want) return `${key}: ${JSON.stringify(want.is)}`;
  if ('default' in want) return `${key}: ${JSON.stringify(want.default)} where it is not set`;
  return `${key}: ${('has' in want ? want.has : want.first).map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join(', ')}`;
}

function missing(text: JsonText, want: Want): Json[] {
  const found = valueAt(text, want.at);
  if ('is' in want) return isDeepStrictEqual(found, want.is) ? [] : [want.is];
  if ('default' in want) return found === undefined ? [want.default] : [];
  const list: readonly Json[] = Array.isArray(found) ? found : [];
  if ('has' in want) return want.has.filter((each) => !list.some((one) => isDeepStrictEqual(one, each)));
  return want.first.filter(
    (rule) =>
      !isDeepStrictEqual(
        list.find((one) => toolOf(one) === rule.toolName),
        rule,
      ),
  );
}

function toolOf(rule: Json): unknown {
  return isJsonObject(rule) ? rule['toolName'] : undefined;
}
