import { z } from 'zod';

import { shaped } from './errors.ts';
import { ask, type Call, type Endpoint } from './http.ts';
import { matcherText, sorted, type Matcher } from './matchers.ts';
import { alertmanagerPath, type System } from './systems.ts';
import { clean } from './text.ts';

export interface Silence {
  id: string;
  state: string;
  matchers: Matcher[];
  /** ISO 8601. */
  endsAt: string;
  createdBy: string;
  comment: string;
}

/** A silence as it is asked for. */
export type SilenceBody = {
  matchers: Matcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
};

/** Where one silence is, without its id: of an Alertmanager, or of Grafana's own. With an `s` it is all of them. */
export function silencesPath(system: System): string {
  return `${alertmanagerPath(system)}/api/v2/silence`;
}

const matcher = z.object({
  name: z.string(),
  value: z.string(),
  isRegex: z.boolean(),
  // Absent before Alertmanager 0.22: then it is an equality.
  isEqual: z.boolean().default(true),
});
const gettable = z.object({
  id: z.string(),
  status: z.object({ state: z.string() }),
  matchers: z.array(matcher),
  endsAt: z.string(),
  createdBy: z.string().default(''),
  comment: z.string().default(''),
});
const posted = z.union([
  z.object({ silenceID: z.string() }).transform(({ silenceID }) => silenceID),
  z.object({ id: z.string() }).transform(({ id }) => id),
]);

/** Silences that are active or will be, those that end first at the front. The matchers are applied there. */
export async function listSilences(endpoint: Endpoint, matchers: readonly Matcher[], call: Call): Promise<Silence[]> {
  const query = matchers.map((each): [string, string] => ['filter', matcherText(each)]);
  const value = await ask(endpoint, { path: `${silencesPath(endpoint.system)}s`, query }, call);
  return shaped(z.array(gettable), value, endpoint.system)
    .map(flat(call))
    .filter(({ state }) => state !== 'expired')
    .sort((a, b) => Date.parse(a.endsAt) - Date.parse(b.endsAt));
}

/** @throws HoldpointError `not_found` */
export async function readSilence(endpoint: Endpoint, id: string, call: Call): Promise<Silence> {
  const value = await ask(endpoint, { path: `${silencesPath(endpoint.system)}/${encodeURIComponent(id)}` }, call);
  return flat(call)(shaped(gettable, value, endpoint.system));
}

/** The new silence's id. */
export async function createSilence(endpoint: Endpoint, body: SilenceBody, call: Call): Promise<string> {
  const value = await ask(endpoint, { method: 'POST', path: `${silencesPath(endpoint.system)}s`, body }, call);
  return clean(shaped(posted, value, endpoint.system), 100, call.redact);
}

export async function expireSilence(endpoint: Endpoint, id: string, call: Call): Promise<void> {
  await ask(endpoint, { method: 'DELETE', path: `${silencesPath(endpoint.system)}/${encodeURIComponent(id)}` }, call);
}

function flat({ redact }: Call): (silence: z.output<typeof gettable>) => Silence {
  return ({ id, status, matchers, endsAt, createdBy, comment }) => ({
    id: clean(id, 100, redact),
    state: clean(status.state, 20, redact),
    matchers: sorted(
      matchers.map((each) => ({ ...each, name: clean(each.name, 100, redact), value: clean(each.value, 300, redact) })),
    ),
    endsAt: clean(endsAt, 40, redact),
    createdBy: clean(createdBy, 80, redact),
    comment: clean(comment, 200, redact),
  });
}
