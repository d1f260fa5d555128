import type { Config } from '../config/config.ts';
import { readFacts } from '../config/facts.ts';
import type { Facts } from '../core/facts.ts';
import { createRedactor, knownSecrets } from '../redact/redact.ts';
import { loadRegistry } from '../server/registry.ts';
import { failed, runChecks, type Check, type Finding } from './check.ts';
import { checkpoints } from './checkpoints.ts';
import { clients } from './clients.ts';
import { demands } from './demands.ts';
import { docker } from './docker.ts';
import { folders } from './folders.ts';
import { github } from './github.ts';
import { kubernetes } from './kubernetes.ts';
import { listening } from './listening.ts';
import { git, node, programs } from './machine.ts';
import { monitoring } from './monitoring.ts';
import { checkRules } from './policy.ts';
import { approvers, records } from './records.ts';
import { sandbox } from './sandbox.ts';
import { upstreams } from './upstreams.ts';
import { tasks } from './tasks.ts';

/** What does not need anything configured, and what does. */
const LOCAL: readonly Check[] = [node, folders, records, checkpoints, approvers, demands];
const SYSTEMS: readonly Check[] = [
  docker,
  kubernetes,
  github,
  ...monitoring,
  tasks,
  git,
  programs,
  sandbox,
  listening,
  upstreams,
  clients,
];

/** Looks at everything a server would work with, changing nothing. Secrets are masked in what it found. */
export async function examine(config: Config): Promise<Finding[]> {
  const registry = await loadRegistry();
  const { facts, findings: unread } = await factsOf(config);
  const { policy, findings: rules } = await checkRules(config, registry, facts);
  const context = { config, facts, registry, policy };
  const [local, systems] = await Promise.all([runChecks(LOCAL, context), runChecks(SYSTEMS, context)]);
  const redact = createRedactor(knownSecrets(config));
  await redact.ready();
  return redact.json(JSON.parse(JSON.stringify([...local, ...rules, ...unread, ...systems]))) as Finding[];
}

/** The facts; without the kubeconfig's where that is broken. */
async function factsOf(config: Config): Promise<{ facts: Facts; findings: Finding[] }> {
  try {
    return { facts: await readFacts(config), findings: [] };
  } catch (thrown) {
    const facts = await readFacts({ ...config, kubernetes: {} });
    return { facts, findings: [failed('kubernetes', thrown)] };
  }
}
