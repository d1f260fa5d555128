import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { POLICIES, SKILLS } from '../../../src/config/locations.ts';
import { loadPrograms } from '../../../src/config/programs.ts';
import type { Facts } from '../../../src/core/facts.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { decide } from '../../../src/policy/decide.ts';
import { loadPolicy } from '../../../src/policy/load.ts';
import { parseInput } from '../../../src/server/input.ts';
import { loadRegistry } from '../../../src/server/registry.ts';

/** What a skill says of a call, as a verdict. */
const VERDICT = { runs: 'allow', held: 'require_approval', denied: 'deny' } as const;

interface Written {
  file: string;
  tool: string;
  input: JsonObject;
  says: keyof typeof VERDICT;
}

/** Every line of a skill that looks like a call of a tool; one that is not written as they all are fails. */
function callsIn(file: string): Written[] {
  const lines = readFileSync(join(SKILLS, file), 'utf8').split('\n');
  return lines
    .filter((line) => /^\s*[a-z]+(?:-[a-z]+)* \{/.test(line))
    .map((line) => {
      const [, tool = '', json = '', says = ''] = /^\s*(\S+) (\{.*\})\s+# (runs|held|denied)$/.exec(line) ?? [];
      if (says === '') throw new Error(`${file}: ${line.trim()} is not TOOL {…} # runs|held|denied`);
      return { file, tool, input: JSON.parse(json) as JsonObject, says: says as Written['says'] };
    });
}

const files = readdirSync(SKILLS, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md'));
const calls = files.flatMap(callsIn);
const [registry, programs] = await Promise.all([loadRegistry(), loadPrograms()]);
const policy = await loadPolicy(join(POLICIES, 'devops.yaml'), {
  tools: (name) => registry.get(name),
  facts: { programs },
});

/** A machine whose kubeconfig names a cluster that the policy does not know, so that the namespace tells. */
const facts: Facts = {
  kubernetes: { current: 'example', contexts: { example: { cluster: 'example', namespace: 'default' } } },
  docker: { host: 'local' },
  github: { repository: 'acme/shop' },
  monitoring: { grafana: 'localhost', prometheus: 'localhost', alertmanager: 'localhost' },
  programs,
};
const principal = { person: 'ann', agent: 'devops', client: 'tests' };

describe('the calls that skills show (B7)', () => {
  test('every skill but those that only lead elsewhere shows some', () => {
    expect(calls.length).toBeGreaterThan(80);
    const shown = new Set(calls.map(({ file }) => file.split('/')[0]));
    expect(readdirSync(SKILLS).filter((skill) => !shown.has(skill) && skill !== 'memory')).toEqual([]);
  });

  test.for(calls)('$file: $tool $input $says', ({ tool: name, input: written, says }) => {
    const tool = registry.get(name);
    if (!tool) throw new Error(`there is no tool ${name}`);
    const { input } = parseInput(tool, written);
    const targets = tool.targets(input, { facts });
    expect(decide(policy, { principal, tool: name, targets }, undefined)).toMatchObject({ verdict: VERDICT[says] });
  });
});
