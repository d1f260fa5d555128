import type { Config } from '../config/config.ts';
import { readFacts } from '../config/facts.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import { loadPersona, policyFileOf } from '../personas/persona.ts';
import type { LoadOptions } from '../policy/load.ts';
import { loadRegistry } from '../server/registry.ts';
import type { Registry } from '../server/registry.ts';
import { print } from './command.ts';
import { withPersona } from './persona-document.ts';

/** What the policy commands check a policy against: this server's tools and this machine's facts. */
export interface PolicyScope extends LoadOptions {
  registry: Registry;
  facts: Facts;
}

export async function policyScope(config: Config): Promise<PolicyScope> {
  const [registry, facts] = await Promise.all([loadRegistry(), readFacts(config)]);
  return { registry, tools: (name) => registry.get(name), toolNames: [...registry.keys()], facts };
}

/** The policy that a command is about: the one named, else the configured one, else the persona's own. */
export async function policyFile(named: string | undefined, config: Config): Promise<string> {
  const file = named ?? config.policy;
  return file === undefined ? (await loadPersona((await withPersona(config)).persona)).policyFile : policyFileOf(file);
}

/** Runs what needs a policy; a file that is none, or cannot be read, is reported as the result, with exit code 2. */
export async function usable<T>(
  file: string,
  json: boolean | undefined,
  use: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await use();
  } catch (thrown) {
    const unusable = thrown instanceof HoldpointError && ['invalid_input', 'not_found'].includes(thrown.code);
    if (!unusable) throw thrown;
    print({ file, valid: false, message: thrown.message }, thrown.message, json);
    process.exitCode = 2;
    return undefined;
  }
}
