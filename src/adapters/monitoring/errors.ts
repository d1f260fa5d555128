import { z } from 'zod';

import { HoldpointError } from '../../core/errors.ts';
import type { Endpoint } from './http.ts';
import type { System } from './systems.ts';
import { clean, type Redact } from './text.ts';

const MAX_SAID = 400;

const TOKENS: Readonly<Record<System, string>> = {
  grafana: 'GRAFANA_SERVICE_ACCOUNT_TOKEN (a Viewer reads; silences need an Editor)',
  prometheus: 'monitoring.prometheus.token',
  alertmanager: 'monitoring.alertmanager.token',
};

/** A refusal in our words; the system's own are quoted as the data they are. */
export function refusal(system: System, status: number, body: unknown, redact: Redact): HoldpointError {
  const said = JSON.stringify(saidBy(body, redact));
  if (status >= 300 && status < 400)
    return new HoldpointError('upstream', `${system} redirects, which is not followed (HTTP ${status}).`, {
      hint: 'The operator sets the final address of its API; a login page in front needs a token.',
    });
  switch (status) {
    case 401:
    case 403:
      return new HoldpointError('unavailable', `${system} does not permit this (HTTP ${status}). It said: ${said}`, {
        hint: `The operator checks ${TOKENS[system]}.`,
      });
    case 404:
      return new HoldpointError('not_found', `${system} has no such thing. It said: ${said}`, {
        hint: `Check the id; when every call says so, the operator checks that the address is ${system}’s own.`,
      });
    case 400:
    case 422:
      return new HoldpointError('invalid_input', `${system} rejects the request. It said: ${said}`, {
        hint: 'Correct what it names.',
      });
    case 429:
    case 502:
    case 503:
    case 504:
      return new HoldpointError('unavailable', `${system} is overloaded or not ready (HTTP ${status}).`, {
        hint: 'Try again in a minute, with a shorter range.',
      });
    default:
      return new HoldpointError('upstream', `${system} answered with HTTP ${status}. It said: ${said}`, {
        hint: 'Try again; when it persists, look at its own log.',
      });
  }
}

/** A request that got no answer; `limit` milliseconds where our own ended it. */
export function unanswered({ system, url }: Endpoint, cause: unknown, limit?: number): HoldpointError {
  if (limit !== undefined)
    return new HoldpointError('timeout', `${system} did not answer within ${limit / 1000} s.`, {
      hint: 'Ask for less (shorter range, larger step, fewer series), or try again.',
      cause,
    });
  return new HoldpointError('unavailable', `${system} at ${new URL(url).host} cannot be reached.`, {
    hint: 'Check that it is up and that a VPN or port-forward is on; `holdpoint doctor` shows the addresses.',
    cause,
  });
}

/** What a body says went wrong: the `error`, `message` or text of it, in one bounded line. */
export function saidBy(body: unknown, redact: Redact): string {
  const known = z.union([
    z.object({ error: z.string() }).transform(({ error }) => error),
    z.object({ message: z.string() }).transform(({ message }) => message),
    z.string(),
  ]);
  const parsed = known.safeParse(body);
  return clean(parsed.success && parsed.data !== '' ? parsed.data : '(nothing)', MAX_SAID, redact);
}

const PROMQL = /(?<line>\d+):(?<column>\d+): parse error: (?<why>[\s\S]*)/;
const LOGQL = /parse error at line (?<line>\d+), col (?<column>\d+): (?<why>[\s\S]*)/;

/** A query that the language does not allow, with where and why; undefined where the text is about something else. */
export function parseError(query: string, said: string): HoldpointError | undefined {
  const found = (PROMQL.exec(said) ?? LOGQL.exec(said))?.groups;
  if (!found) return undefined;
  const [line, column] = [Number(found['line']), Number(found['column'])];
  const near = (query.split('\n')[line - 1] ?? '').slice(Math.max(0, column - 1)).slice(0, 30);
  const where = line === 1 ? `position ${column}` : `line ${line}, position ${column}`;
  const at = near === '' ? 'at its end' : `near ${JSON.stringify(near)}`;
  const logs = /\|=|\|~|!~ *`|\| *(?:json|logfmt|pattern|line_format)\b/.test(query);
  return new HoldpointError('invalid_input', `The query does not parse at ${where}, ${at}: ${found['why']}`, {
    hint: logs
      ? 'This looks like LogQL: name a Loki data source as source, such as source: "loki".'
      : 'Correct the PromQL there, then repeat the call.',
  });
}

/** A remote answer in a shape that is known. @throws HoldpointError `upstream` where it is another. */
export function shaped<T>(schema: z.ZodType<T>, value: unknown, system: System): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HoldpointError('upstream', `${system} gave an answer that is not of its documented shape.`, {
    hint: 'Check that the address is that of the API, with no login page or proxy of another kind in front.',
    cause: parsed.error,
  });
}
