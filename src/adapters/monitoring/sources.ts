import { z } from 'zod';

import { HoldpointError } from '../../core/errors.ts';
import { likely } from '../../core/nearest.ts';
import { shaped } from './errors.ts';
import { ask, type Call, type Endpoint } from './http.ts';
import { clean } from './text.ts';

/** Where a query goes. A type, not an interface, so that it can be a plan's data. */
export type Source = {
  system: 'grafana' | 'prometheus';
  /** How people call it. */
  name: string;
  language: 'promql' | 'logql';
  /** Grafana only: the data source's uid and type. */
  uid: string;
  type: string;
};

const listed = z.array(
  z.object({ uid: z.string(), name: z.string(), type: z.string(), isDefault: z.boolean().default(false) }),
);
type Listed = z.output<typeof listed>[number];

/** What Grafana allows as a uid; it becomes part of a path. */
const UID = /^[\w-]{1,40}$/;
/** Types that speak PromQL, and the one that speaks LogQL. */
const PROMQL = /^(?:prometheus|grafana-(?:amazon|azure)prometheus-datasource)$/;
const SHOWN = 8;

/** The source of a Prometheus without Grafana. @throws HoldpointError `invalid_input` where another one is named. */
export function directSource(written: string | undefined): Source {
  if (written === undefined || written.toLowerCase() === 'prometheus')
    return { system: 'prometheus', name: 'prometheus', language: 'promql', uid: '', type: 'prometheus' };
  throw new HoldpointError('invalid_input', `There is no data source ${JSON.stringify(written.slice(0, 80))}.`, {
    hint: 'Only Prometheus is configured: leave source out. Other data sources need Grafana (the operator sets GRAFANA_URL).',
  });
}

/**
 * Grafana's data source of that uid, name or type (the default one where several have the type); without a name the default
 * Prometheus.
 *
 * @throws HoldpointError `not_found` with the ones there are, `invalid_input` where several fit or it is of another type.
 */
export async function grafanaSource(endpoint: Endpoint, written: string | undefined, call: Call): Promise<Source> {
  const answer = shaped(listed, await ask(endpoint, { path: '/api/datasources' }, call), 'grafana');
  const all = answer.filter(({ uid }) => UID.test(uid));
  const chosen = choose(all, written, call);
  const language = PROMQL.test(chosen.type) ? 'promql' : chosen.type === 'loki' ? 'logql' : undefined;
  const name = clean(chosen.name, 80, call.redact);
  if (language === undefined)
    throw new HoldpointError('invalid_input', `${name} is of type ${clean(chosen.type, 60, call.redact)}.`, {
      hint: `Only Prometheus and Loki can be queried here. ${known(all, call)}`,
    });
  return { system: 'grafana', name, language, uid: chosen.uid, type: chosen.type };
}

function choose(all: readonly Listed[], written: string | undefined, call: Call): Listed {
  const pick = (fitting: readonly Listed[], what: string): Listed | undefined => {
    const first = fitting.find(({ isDefault }) => isDefault) ?? fitting[0];
    if (!first || first.isDefault || fitting.length === 1) return first;
    throw new HoldpointError('invalid_input', `There are ${fitting.length} data sources ${what}.`, {
      hint: `Name one as source. ${known(fitting, call)}`,
    });
  };
  if (written === undefined) {
    const found = pick(
      all.filter(({ type }) => PROMQL.test(type)),
      'for PromQL and none is the default',
    );
    if (found) return found;
    throw new HoldpointError('not_found', 'Grafana has no Prometheus data source.', { hint: known(all, call) });
  }
  const low = written.toLowerCase();
  const found =
    all.find(({ uid, name }) => uid === written || name === written) ??
    pick(
      all.filter(({ name }) => name.toLowerCase() === low),
      'of that name',
    ) ??
    pick(
      all.filter(({ type }) => type === low),
      `of type ${low}`,
    );
  if (found) return found;
  const near = likely(
    written,
    all.map(({ name }) => name),
  ).map((name) => clean(name, 80, call.redact));
  throw new HoldpointError('not_found', `Grafana has no data source ${JSON.stringify(written.slice(0, 80))}.`, {
    hint: `${near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''}${known(all, call)}`,
  });
}

function known(all: readonly Listed[], { redact }: Call): string {
  if (all.length === 0) return 'This account sees no data sources.';
  const names = all.slice(0, SHOWN).map(({ name, type }) => `${clean(name, 60, redact)} (${clean(type, 40, redact)})`);
  return `There are: ${names.join(', ')}${all.length > SHOWN ? ` and ${all.length - SHOWN} more` : ''}.`;
}
