import { z } from 'zod';

import { likely } from '../../core/nearest.ts';
import { shaped } from './errors.ts';
import { ask, type Call } from './http.ts';
import type { PrometheusApi } from './prometheus.ts';
import { clean } from './text.ts';
import { durationText, type Window } from './window.ts';

const KEYWORDS: ReadonlySet<string> = new Set(
  'and or unless by without on ignoring group_left group_right offset bool inf nan atan2 start end'.split(' '),
);
/** All that can be said where nothing more is known. */
export const NOTHING = 'No series matched.';

const MOST_NAMES = 3;
const MOST_COMPARED = 5000;

const values = z.object({ data: z.array(z.string()) });

/** The metrics that a PromQL query names, at most three. By its words, not by its grammar: good enough for a hint. */
export function metricNames(query: string): string[] {
  const named = [...query.matchAll(/__name__\s*=\s*"([^"\\]+)"/g)].map(([, name = '']) => name);
  const bare = query
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""')
    .replace(/#.*/g, '')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/gi, ' ')
    .replace(/\boffset\s+-?\w+/gi, ' ');
  const words = [...bare.matchAll(/(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])/g)].map(([word]) => word);
  const metrics = words.filter((word) => !KEYWORDS.has(word.toLowerCase()));
  return [...new Set([...named, ...metrics])].slice(0, MOST_NAMES);
}

/** Why a query gave no series, as far as the names of metrics tell; with near names where one is wrong. */
export async function explainNothing(api: PrometheusApi, query: string, window: Window, call: Call): Promise<string> {
  const names = metricNames(query);
  if (names.length === 0) return NOTHING;
  const known = new Set(await labelValues(api, [], call));
  const missing = names.find((name) => !known.has(name));
  if (missing !== undefined) {
    const near = likely(missing, comparable(missing, known)).map((name) => clean(name, 100, call.redact));
    const hint = near.length === 0 ? '' : ` Near: ${near.join(', ')}.`;
    return `No series matched: there is no metric ${clean(missing, 100, call.redact)}.${hint}`;
  }
  for (const name of names) {
    // A moment still sees samples of the last five minutes.
    const found = await labelValues(
      api,
      [
        ['match[]', name],
        ['start', String(window.start - (window.step === 0 ? 300 : 0))],
        ['end', String(window.end)],
      ],
      call,
    );
    if (!found.includes(name)) {
      const range = window.step === 0 ? 'at that time' : `in these ${durationText(window.end - window.start)}`;
      return `No series matched: ${name} exists but has no samples ${range}. Try an earlier from.`;
    }
  }
  return `No series matched: ${names.join(', ')} has samples in the range, but not with these labels or conditions.`;
}

async function labelValues(api: PrometheusApi, query: [string, string][], call: Call): Promise<string[]> {
  const path = `${api.prefix}/api/v1/label/__name__/values`;
  return shaped(values, await ask(api.endpoint, { path, query }, call), api.endpoint.system).data;
}

/** Names that share a word with the wrong one come first: comparing all of a large installation would take seconds. */
function comparable(wrong: string, known: ReadonlySet<string>): string[] {
  const words = wrong
    .toLowerCase()
    .split(/[_:]/)
    .filter((word) => word.length > 2);
  const related = [...known].filter((name) => words.some((word) => name.toLowerCase().includes(word)));
  return (related.length > 0 ? related : [...known]).slice(0, MOST_COMPARED);
}
