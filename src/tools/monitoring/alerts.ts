import { z } from 'zod';

import {
  alertLine,
  groupAlerts,
  labelText,
  matcherText,
  plannedEnd,
  plannedSilence,
  readMatchers,
  readTarget,
  refuseBroad,
  requireSystem,
  ruleLine,
  silenceBody,
  silenceName,
  silenceParts,
  silenceTargets,
  sorted,
} from '../../adapters/monitoring/port.ts';
import type { Matcher, Silence, WantedSilence } from '../../adapters/monitoring/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { Plan } from '../../core/plan.ts';
import { defineTool } from '../../core/tool.ts';

const ACTIONS = ['firing', 'rules', 'silences', 'silence', 'unsilence'] as const;
const MAX_COMMENT = 300;
const DEFAULT_LIMIT = 15;
const MAX_LIMIT = 50;

const input = z.strictObject({
  action: z.enum(ACTIONS),
  matchers: z.array(z.string()).describe('a=b').optional(),
  for: z.string().optional(),
  comment: z
    .string()
    .refine(
      (text) => text.trim() !== '' && text.length <= MAX_COMMENT && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text),
      `Write one line of at most ${MAX_COMMENT} characters.`,
    )
    .optional(),
  id: z
    .string()
    .refine((id) => /^[\w-]{8,64}$/.test(id), 'This is no id of a silence.')
    .optional(),
  limit: z
    .int()
    .refine((limit) => limit > 0 && limit <= MAX_LIMIT, `Between 1 and ${MAX_LIMIT}.`)
    .optional(),
});

type Written = z.output<typeof input>;

/** What each action takes beside itself; those with `!` it needs. */
const TAKES: Readonly<Record<Written['action'], readonly string[]>> = {
  firing: ['matchers', 'limit'],
  rules: ['matchers', 'limit'],
  silences: ['matchers', 'limit'],
  silence: ['matchers!', 'comment!', 'for'],
  unsilence: ['id!'],
};

/** One of the three, by the action. */
type Act = {
  look: { action: 'firing' | 'rules' | 'silences'; matchers: Matcher[]; limit: number } | null;
  make: WantedSilence | null;
  end: { id: string } | null;
};
const NOTHING: Act = { look: null, make: null, end: null };

const group = z.strictObject({
  alert: z.string(),
  severity: z.string().optional(),
  since: z.string(),
  age: z.string(),
  count: z.number(),
  labels: z.record(z.string(), z.string()),
  each: z.array(z.string()).optional(),
  summary: z.string().optional(),
  runbook: z.string().optional(),
});
const rule = z.strictObject({
  rule: z.string(),
  state: z.string(),
  severity: z.string().optional(),
  expr: z.string(),
  for: z.string().optional(),
  runbook: z.string().optional(),
  error: z.string().optional(),
});
const silence = z.strictObject({
  id: z.string(),
  state: z.string(),
  matchers: z.array(z.string()),
  until: z.string(),
  by: z.string(),
  comment: z.string(),
});

export default defineTool({
  name: 'alerts',
  title: 'Alerts and silences',
  description: 'See alerts, or silence them (comment, for 1h). Production needs approval.',
  keywords: ['alertmanager', 'prometheus', 'grafana', 'incident', 'page', 'mute', 'on-call', 'monitoring', 'firing'],
  effect: 'write',
  needs: ['monitoring'],
  input,
  output: z.strictObject({
    /** Whose alerts these are. */
    source: z.string(),
    /** Alerts firing. */
    total: z.number().optional(),
    firing: z.array(group).optional(),
    /** Labels that all alerts firing share. */
    common: z.record(z.string(), z.string()).optional(),
    /** Not among them. */
    silenced: z.number().optional(),
    inhibited: z.number().optional(),
    pending: z.number().optional(),
    rules: z.array(rule).optional(),
    silences: z.array(silence).optional(),
    /** Entries left out. */
    more: z.number().optional(),
    /** What was made or ended. */
    silence: z.strictObject({ id: z.string(), state: z.string(), until: z.string().optional() }).optional(),
  }),

  targets(written, { facts }) {
    const { action, id } = checked(written);
    if (action === 'silence') {
      const matchers = readMatchers(written.matchers ?? []);
      refuseBroad(matchers);
      return silenceTargets(silenceName(matchers), matchers, facts);
    }
    // What ending a silence touches only its matchers tell; so far it is looked at, and the plan adds the rest.
    if (action === 'unsilence') return [readTarget('silences', facts, `silence ${id}`)];
    return [readTarget(action, facts, action)];
  },

  async plan(written, call): Promise<Plan<Act>> {
    const { action, id = '', comment = '', limit = DEFAULT_LIMIT } = checked(written);
    const matchers = sorted(readMatchers(written.matchers ?? []));
    if (action === 'silence') {
      const { data, ...plan } = await plannedSilence({ matchers, for: written.for, comment }, call);
      return { ...plan, data: { ...NOTHING, make: data } };
    }
    if (action === 'unsilence') {
      const { data, ...plan } = await plannedEnd(id, call);
      return { ...plan, data: { ...NOTHING, end: data } };
    }
    const does = `look at ${action} of ${requireSystem(action, call.facts.monitoring)}`;
    return {
      effect: 'read',
      targets: [readTarget(action, call.facts, action)],
      preconditions: [],
      steps: [{ id: 'look', does, call: { matchers: matchers.map(matcherText) } }],
      preview: { summary: does },
      data: { ...NOTHING, look: { action, matchers, limit } },
    };
  },

  preview: ({ data: { make, end }, preview: { text = '' } }) =>
    Promise.resolve(silenceParts({ make, end, said: text })),

  async run({ data: { look, make, end } }, { monitoring, ...call }) {
    const source = requireSystem(look?.action ?? 'silences', call.facts.monitoring);
    if (make !== null) {
      const body = silenceBody(make, Date.now());
      const id = await monitoring.createSilence(body, call);
      call.stepDone('silence', id);
      return { source, silence: { id, state: 'active', until: body.endsAt } };
    }
    if (end !== null) {
      await monitoring.expireSilence(end.id, call);
      call.stepDone('unsilence', 'expired');
      return { source, silence: { id: end.id, state: 'expired' } };
    }
    const { action = 'firing', matchers = [], limit = DEFAULT_LIMIT } = look ?? {};
    const cut = <T>(all: readonly T[]) => ({ shown: all.slice(0, limit), more: Math.max(0, all.length - limit) });
    if (action === 'rules') {
      const { shown, more } = cut(await monitoring.rules(matchers, call));
      return { source, rules: shown, ...counted({ more }) };
    }
    if (action === 'silences') {
      const { shown, more } = cut(await monitoring.silences(matchers, call));
      return { source, silences: shown.map(shownSilence), ...counted({ more }) };
    }
    const { alerts, ...others } = await monitoring.firing(matchers, call);
    const { common, groups } = groupAlerts(alerts, Date.now(), call.redact);
    const { shown, more } = cut(groups);
    const shared = Object.keys(common).length === 0 ? {} : { common };
    return { source, total: alerts.length, ...shared, firing: shown, ...counted({ ...others, more }) };
  },

  render({ source, total, common, firing, silenced, inhibited, pending, rules, silences, more, silence: changed }) {
    const others = Object.entries({ silenced, inhibited, pending }).flatMap(([what, n]) => (n ? [`${n} ${what}`] : []));
    const counts = [`${total ?? 0} firing`, ...others].join(', ');
    const shared = common === undefined ? '' : `; all {${labelText(common)}}`;
    return [
      ...(firing ? [`${counts} (${source})${shared}`, ...firing.map(alertLine)] : []),
      ...(rules?.map(ruleLine) ?? []),
      ...(rules?.length === 0 ? [`no alert rules (${source})`] : []),
      ...(silences ?? []).map(
        (each) =>
          `${each.id} ${each.state} until ${each.until} by ${each.by}: ${each.matchers.join(' ')} (${each.comment})`,
      ),
      ...(silences?.length === 0 ? [`no silences (${source})`] : []),
      ...(more ? [`… ${more} more: raise limit, or narrow with matchers`] : []),
      ...(changed
        ? [`silence ${changed.id} is ${changed.state}${changed.until ? ` until ${changed.until}` : ''}`]
        : []),
    ].join('\n');
  },
});

function checked(written: Written): Written {
  const takes = TAKES[written.action];
  const given = Object.entries(written).flatMap(([name, value]) =>
    name === 'action' || value === undefined ? [] : [name],
  );
  const extra = given.filter((name) => !takes.includes(name) && !takes.includes(`${name}!`));
  const missing = takes.filter((name) => name.endsWith('!')).filter((name) => !given.includes(name.slice(0, -1)));
  if (extra.length === 0 && missing.length === 0) return written;
  const names = takes.map((name) => (name.endsWith('!') ? `${name.slice(0, -1)} (needed)` : name)).join(', ');
  const wrong =
    missing.length > 0 ? `needs ${missing.join(', ').replaceAll('!', '')}` : `does not take ${extra.join(', ')}`;
  throw new HoldpointError('invalid_input', `${written.action} ${wrong}.`, { hint: `It takes ${names}.` });
}

function shownSilence({ id, state, matchers, endsAt, createdBy, comment }: Silence): z.output<typeof silence> {
  return { id, state, matchers: matchers.map(matcherText), until: endsAt, by: createdBy, comment };
}

/** Counts that are not 0. */
function counted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
