import { prepared } from '../config/prepared.ts';
import type { Config } from '../config/config.ts';
import type { Verdict } from '../core/decision.ts';
import type { Facts } from '../core/facts.ts';
import type { Target } from '../core/target.ts';
import { checkBudget, estimateTokens } from '../personas/budget.ts';
import { loadPersona, policyFileOf, type Persona } from '../personas/persona.ts';
import { decide } from '../policy/decide.ts';
import { place } from '../policy/environments.ts';
import { loadPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import { toolList } from '../server/mcp.ts';
import type { Registry } from '../server/registry.ts';
import type { Services } from '../server/services.ts';
import { failed, type Context, type Finding } from './check.ts';

/** Loads persona and policy as a server would, with its rules' examples. */
export async function checkRules(
  config: Config,
  registry: Registry,
  facts: Facts,
): Promise<{ policy: Policy | undefined; findings: Finding[] }> {
  const findings: Finding[] = [];
  let persona: Persona | undefined;
  try {
    persona = await loadPersona(config.persona);
    findings.push(budget(persona, registry));
  } catch (thrown) {
    findings.push(failed('persona', thrown));
  }
  const file = config.policy === undefined ? persona?.policyFile : policyFileOf(config.policy);
  if (file === undefined) return { policy: undefined, findings };
  try {
    const tools = (name: string) => registry.get(name);
    const policy = await loadPolicy(file, { tools, facts, prepared: prepared.policies });
    const detail = `${policy.name}: ${policy.rules.length} rules, ${policy.environments.map(({ name }) => name).join(', ')}`;
    return { policy, findings: [...findings, { level: 'ok', what: 'policy', detail }] };
  } catch (thrown) {
    const fix = `Mend it and see: holdpoint policy test ${file}`;
    return { policy: undefined, findings: [...findings, failed('policy', thrown, 'fail', fix)] };
  }
}

function budget(persona: Persona, registry: Registry): Finding {
  // The list is made of these two alone.
  const tools = toolList({ registry, persona } as Services, 'persona');
  checkBudget(persona, tools);
  const detail = `${persona.name}: ${tools.length} tools, ${estimateTokens(tools)} of ${persona.tokenBudget} tokens`;
  return { level: 'ok', what: 'persona', detail };
}

const WORDS: Readonly<Record<Verdict, string>> = { allow: 'allowed', require_approval: 'held', deny: 'denied' };

/** What is asked of the policy about a system: the same thing read, changed and removed, by the tool for it. */
export type Asked = Partial<Record<'read' | 'write' | 'destroy', { tool: string; target: Omit<Target, 'effect'> }>>;

const DEEDS = { read: 'reading', write: 'changing', destroy: 'removing' } as const;

/** The environment that the policy gives a system and what it says to each deed: `production: reading allowed, changing held`. */
export function ruling({ policy, config }: Context, asked: Asked): string {
  if (policy === undefined) return 'no policy, so every call is refused';
  const principal = { person: config.user, agent: config.persona, client: 'holdpoint doctor' };
  const answers = (['read', 'write', 'destroy'] as const).flatMap((effect) => {
    const one = asked[effect];
    if (one === undefined) return [];
    const target = { ...one.target, effect };
    const { verdict } = decide(policy, { principal, tool: one.tool, targets: [target] }, Date.now());
    return [{ environment: place(policy, target).environment, says: `${DEEDS[effect]} ${WORDS[verdict]}` }];
  });
  const environments = [...new Set(answers.map(({ environment }) => environment))];
  return `${environments.join(', ')}: ${answers.map(({ says }) => says).join(', ')}`;
}
