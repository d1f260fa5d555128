import { z } from 'zod';

import { shaped } from './errors.ts';
import { ask, type Call, type Endpoint } from './http.ts';
import { plainFilter, type Matcher } from './matchers.ts';
import { clean } from './text.ts';
import { durationText } from './window.ts';

/** One alert rule. */
export interface Rule {
  rule: string;
  /** `firing`, `pending`, `inactive`; or `error` where its last evaluation failed. */
  state: string;
  severity?: string | undefined;
  expr: string;
  for?: string | undefined;
  runbook?: string | undefined;
  error?: string | undefined;
}

const texts = z.record(z.string(), z.string()).default({});

const answer = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            name: z.string(),
            type: z.string().default('alerting'),
            state: z.string().default('inactive'),
            query: z.string().default(''),
            duration: z.number().default(0),
            labels: texts,
            annotations: texts,
            health: z.string().default('ok'),
            lastError: z.string().default(''),
          }),
        ),
      }),
    ),
  }),
});

const STATES = ['error', 'firing', 'pending', 'inactive'];
const MAX_EXPR = 160;

/** Alert rules, those that fail or fire first. @throws HoldpointError `invalid_input` for matchers by regular expression. */
export async function alertRules(
  endpoint: Endpoint,
  path: string,
  matchers: readonly Matcher[],
  call: Call,
): Promise<Rule[]> {
  const wanted = plainFilter(matchers, 'Rules');
  const value = await ask(endpoint, { path, query: [['type', 'alert']] }, call);
  const say = (text: string, max: number) => clean(text, max, call.redact);
  return shaped(answer, value, endpoint.system)
    .data.groups.flatMap(({ rules }) => rules)
    .filter(({ type, name, labels }) => type === 'alerting' && wanted({ alertname: name, ...labels }))
    .map(({ name, state, query, duration, labels, annotations, health, lastError }): Rule => {
      const severity = labels['severity'];
      const runbook = annotations['runbook_url'] ?? annotations['runbook'];
      const failed = lastError !== '' || health === 'err' || health === 'error';
      return {
        rule: say(name, 100),
        state: failed ? 'error' : say(state, 20),
        ...(severity === undefined ? {} : { severity: say(severity, 40) }),
        expr: say(query, MAX_EXPR),
        ...(duration > 0 ? { for: durationText(duration) } : {}),
        ...(runbook === undefined ? {} : { runbook: say(runbook, 150) }),
        ...(failed ? { error: say(lastError === '' ? 'unknown' : lastError, 200) } : {}),
      };
    })
    .sort((a, b) => place(a.state) - place(b.state) || (a.rule < b.rule ? -1 : 1));
}

function place(state: string): number {
  const at = STATES.indexOf(state);
  return at === -1 ? STATES.length : at;
}
