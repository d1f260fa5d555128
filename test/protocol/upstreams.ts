import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { holdpoint, newPlace, serverArgs, type CommandResult, type Place } from '../harness.ts';

const FAKE = resolve(import.meta.dirname, 'upstream-fake.ts');

/** A place with a persona that may use the servers `fake` and `gone`, and a file that names them and `other`. */
export interface UpstreamPlace extends Place {
  /** What the server says of its tools from the next list on. */
  offer(tools: unknown[]): void;
  /** Calls that arrived at the server, oldest first: `NAME ARGUMENTS`. */
  arrived(): string[];
  /** Process ids of the servers that were started, oldest first. */
  starts(): number[];
  run(...args: string[]): Promise<CommandResult>;
  serve: string[];
  /** The persona's folder and the file of servers. */
  persona: string;
  servers: string;
}

export const tool = (name: string, more: object = {}) => ({
  name,
  description: `Does ${name}.`,
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, additionalProperties: false },
  annotations: { readOnlyHint: true },
  ...more,
});

const POLICY = `
version: 1
name: mine
environments:
  production: { namespaces: ['*prod*'] }
  staging: { namespaces: ['*-staging'] }
  development: { upstreams: [fake] }
rules:
  - id: upstream-tools
    decision: allow
    when: { kind: upstream, upstream: [fake, memory, everything, web, kubernetes, filesystem] }
    reason: These servers may be used.
    examples: [{ tool: fake__x, targets: [{ kind: upstream, id: fake__x, resource: fake, effect: read, at: { upstream: fake } }], expect: allow }]
  - id: files
    decision: allow
    when: { kind: [file, folder], path: ['**'] }
    reason: Files may be used.
    examples: [{ tool: view, input: { path: README.md }, expect: allow }]
  - id: secrets
    decision: deny
    when: { kind: file, path: ['**/.env*'] }
    reason: Secrets are not for agents.
    examples: [{ tool: view, input: { path: docker/.env }, expect: deny }]
  - id: production
    decision: require_approval
    when: { environment: production, effect: [write, destroy] }
    approval: { approvals: 1, approveWithin: 1h, runWithin: 30m }
    reason: Production needs a person.
    examples: [{ tool: fake__x, targets: [{ kind: upstream, id: fake__x, effect: write, at: { upstream: fake, namespace: shop-prod } }], expect: require_approval }]
  - id: destruction
    decision: require_approval
    when: { effect: destroy }
    approval: { approvals: 1, approveWithin: 1h, runWithin: 30m }
    reason: Deleting needs a person.
    examples: [{ tool: remove-files, input: { paths: [README.md] }, expect: require_approval }]
  - id: forbidden
    decision: deny
    when: { tool: ['*__forbidden*'] }
    reason: Not this one.
    examples: [{ tool: fake__forbidden, targets: [{ kind: upstream, id: fake__forbidden, effect: read, at: { upstream: fake } }], expect: deny }]
`;

/** @param settings more of holdpoint.yaml, as YAML lines under `upstreams:`. */
export function upstreamPlace({
  settings = '',
  env = {},
  servers: named = {},
  tools: listed = ['view'],
}: {
  settings?: string;
  env?: Record<string, string>;
  servers?: Record<string, unknown>;
  tools?: string[];
} = {}): UpstreamPlace {
  const place = newPlace(env);
  const root = dirname(place.workspace);
  const script = join(root, 'fake.json');
  const log = join(root, 'arrived.log');
  const persona = join(root, 'persona');
  const servers = join(root, 'mcp.json');
  const offer = (tools: unknown[]) => writeFileSync(script, JSON.stringify({ tools, log }));
  writeFileSync(log, '');
  offer([tool('echo')]);
  mkdirSync(persona);
  writeFileSync(join(persona, 'policy.yaml'), POLICY);
  writeFileSync(join(persona, 'instructions.md'), 'Work.');
  writeFileSync(
    join(persona, 'persona.yaml'),
    JSON.stringify({
      name: 'mine',
      title: 'Mine',
      description: 'A persona with other servers.',
      policy: 'policy.yaml',
      upstreams: ['fake', 'gone', ...Object.keys(named)],
      tools: listed,
    }),
  );
  const fake = {
    command: process.execPath,
    args: [FAKE],
    env: { FAKE_UPSTREAM: script, API_TOKEN: '${FAKE_SECRET:-none}' },
  };
  writeFileSync(servers, JSON.stringify({ mcpServers: { fake, other: fake, ...named } }));
  const config = join(root, 'holdpoint.yaml');
  writeFileSync(config, `upstreams:\n  file: ${servers}\n${settings}`);
  const options = ['--persona', persona, '--config', config];
  return {
    ...place,
    offer,
    persona,
    servers,
    starts: () => readFileSync(`${log}.starts`, 'utf8').split('\n').filter(Boolean).map(Number),
    arrived: () => readFileSync(log, 'utf8').split('\n').filter(Boolean),
    run: (...args) => holdpoint(place, ...args, ...options, '--workspace', place.workspace),
    serve: serverArgs(place, ['--stdio', ...options]),
  };
}
