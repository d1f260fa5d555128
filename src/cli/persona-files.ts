import type { Config } from '../config/config.ts';
import { loadPersona, type Persona } from '../personas/persona.ts';
import { loadPolicy } from '../policy/load.ts';
import type { Policy } from '../policy/policy.ts';
import { toolList } from '../server/mcp.ts';
import type { Services } from '../server/services.ts';
import { withPersona } from './persona-document.ts';
import { policyScope, type PolicyScope } from './policy-files.ts';

/** A persona with what it lists to an agent. */
export interface Listed {
  persona: Persona;
  /** The definitions of `tools/list`: the persona's own, those that there are, and the server's. */
  tools: ReturnType<typeof toolList>;
  scope: PolicyScope;
}

/** @throws HoldpointError `invalid_input` where there is no such persona, or it is wrong. */
export async function listed(named: string, config: Config): Promise<Listed> {
  const [persona, scope] = await Promise.all([
    loadPersona((await withPersona({ ...config, persona: named })).persona),
    policyScope(config),
  ]);
  // The list is made of these two alone.
  return { persona, scope, tools: toolList({ persona, registry: scope.registry } as Services, 'persona') };
}

/** The persona's own policy, checked whole. */
export function policyOf({ persona, scope }: Listed): Promise<Policy> {
  return loadPolicy(persona.policyFile, scope);
}
