import type { Command } from 'commander';

import { differences } from '../adapters/upstream/compare.ts';
import { effectOf, hashOf } from '../adapters/upstream/definition.ts';
import type { Config } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { createRedactor, knownSecrets } from '../redact/redact.ts';
import { offeredTools, type KnownServer } from '../server/upstreams.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { withRecords } from './records.ts';
import { accept } from './upstream-accept.ts';
import { allowedServer, looked, maskFor, upstreamsFor, type UpstreamFlags } from './upstream-servers.ts';
import { acceptText, differencesText, knownText } from './upstream-text.ts';

export function register(program: Command): void {
  const upstream = program
    .command('upstream')
    .description('other MCP servers that the persona may use; their tools go the same way as all others');
  const command = (written: string) =>
    jsonOption(sharedOptions(upstream.command(written)))
      .option('--workspace <dir>', 'the folder that the agent works in (.)')
      .option('--persona <name|file>', 'who the agent is (devops)')
      .option('--mcp-config <file>', 'the file that names them (HOLDPOINT_MCP_CONFIG)');

  command('list')
    .description('which there are, which the persona may use, and which are accepted; starts none')
    .action((flags: UpstreamFlags) => act(flags, (config) => list(config, flags)));
  command('accept <server>')
    .description('start a server, look at its tools, and accept them as they are')
    .option('--yes', 'accept without asking, for scripts')
    .option(
      '--effect <tool=read|write|destroy>',
      'what a tool does, in place of what the server hints; again for more',
      several,
    )
    .action((name: string, flags: UpstreamFlags) => act(flags, (config) => accept(name, config, flags)));
  command('diff <server>')
    .description('what a server says of its tools now, beside what was accepted; exit code 1 where they differ')
    .action((name: string, flags: UpstreamFlags) => act(flags, (config) => diff(name, config, flags)));
  command('test <server>')
    .description('start or reach a server, list its tools and stop it again; accepts nothing')
    .action((name: string, flags: UpstreamFlags) => act(flags, (config) => test(name, config, flags)));
  command('remove <server>')
    .description('take back what was accepted of a server; servers that run refuse its tools from then on')
    .action((name: string, flags: UpstreamFlags) => act(flags, (config) => remove(name, config, flags)));
}

function several(value: string, before: string[] = []): string[] {
  return [...before, value];
}

async function list(config: Config, { json }: UpstreamFlags): Promise<void> {
  const { known, missing } = await upstreamsFor(config);
  const found = known.map((each) => {
    const { server, allowed, accepted, same, tools, left } = each;
    return {
      name: server.key,
      file: server.file,
      state: stateOf(each),
      ...(server.problem === undefined ? {} : { problem: server.problem }),
      allowed,
      ...(accepted ? { acceptedAt: accepted.acceptedAt, acceptedBy: accepted.acceptedBy, same } : {}),
      tools: tools.map(({ name, effect }) => ({ name, effect })),
      left,
    };
  });
  const hidden = createRedactor([...knownSecrets(config), ...known.flatMap(({ server }) => server.secrets)]);
  const text = known.map((each) => knownText(each, stateOf(each)));
  const notNamed = missing.map((name) => `${name}  the persona may use it, and no file names it`);
  const none = 'There are no upstream servers: name a file with --mcp-config.';
  print(hidden.json({ servers: found, missing }), hidden.text([...text, ...notNamed].join('\n') || none), json);
}

function stateOf({ server, allowed, accepted, damaged, same }: KnownServer): string {
  if (!allowed) return 'not allowed by the persona';
  if (server.problem !== undefined) return 'cannot be used';
  if (damaged !== undefined) return 'its accepted file is damaged: accept it anew';
  if (!accepted) return 'not accepted';
  return same ? 'accepted' : 'accepted for another command or address';
}

async function diff(name: string, config: Config, { json }: UpstreamFlags): Promise<void> {
  const upstreams = await upstreamsFor(config);
  const { accepted, same } = allowedServer(name, upstreams);
  if (!accepted)
    throw new HoldpointError('not_found', `Nothing of ${name} was accepted yet.`, {
      hint: `holdpoint upstream accept ${name}`,
    });
  const { definitions } = await looked(name, config, upstreams);
  const found = differences(
    accepted.tools.map((tool) => tool.definition),
    definitions,
  );
  const told = found.length > 0 ? differencesText(found) : [`The tools of ${name} are what was accepted.`];
  if (!same) told.unshift('It was accepted for another command or address than the file has now.', '');
  print(
    { same: same && found.length === 0, command: same, differences: found },
    maskFor(config, upstreams)(told.join('\n')),
    json,
  );
  if (found.length > 0 || !same) process.exitCode = 1;
}

async function test(name: string, config: Config, { json }: UpstreamFlags): Promise<void> {
  const upstreams = await upstreamsFor(config);
  const { server } = allowedServer(name, upstreams);
  const { definitions, says } = await looked(name, config, upstreams);
  const tools = definitions.map((said) => ({ hash: hashOf(said), definition: said }));
  const offered = offeredTools({ server: name, tools, effects: {} });
  const told = acceptText({
    server,
    says,
    ...offered,
    hints: new Map(definitions.map((said) => [said.name, effectOf(said)])),
  });
  const summary = {
    name,
    says,
    tools: offered.tools.map((tool) => ({ name: tool.name, effect: tool.effect })),
    left: offered.left,
  };
  print(summary, maskFor(config, upstreams)(told.join('\n')), json);
}

async function remove(name: string, config: Config, { json }: UpstreamFlags): Promise<void> {
  const { accepted } = await upstreamsFor(config);
  if (!accepted.list().includes(name))
    throw new HoldpointError('not_found', 'Nothing of that server was accepted.', { hint: 'holdpoint upstream list' });
  await withRecords(config, async ({ audit }) => {
    accepted.remove(name);
    audit.append({ kind: 'upstream.removed', data: { upstream: name, by: config.user } });
  });
  print({ removed: name }, `Removed ${name}: its tools are refused from now on.`, json);
}
