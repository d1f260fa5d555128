import type { Command } from 'commander';

import type { Accepted } from '../adapters/upstream/accepted.ts';
import { differences } from '../adapters/upstream/compare.ts';
import { effectOf, hashOf, type Definition } from '../adapters/upstream/definition.ts';
import { connect, type Session } from '../adapters/upstream/session.ts';
import { refuseExposed, type Config, type Flags } from '../config/config.ts';
import { EFFECTS, type Effect } from '../core/effect.ts';
import { HoldpointError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { loadPersona } from '../personas/persona.ts';
import { createRedactor, knownSecrets } from '../redact/redact.ts';
import { connecting } from '../server/upstream-serving.ts';
import { offeredTools, readUpstreams, type KnownServer, type Upstreams } from '../server/upstreams.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { ask, hasTerminal } from './prompt.ts';
import { withRecords } from './records.ts';
import { acceptText, differencesText, knownText } from './upstream-text.ts';

interface UpstreamFlags extends Flags {
  json?: boolean;
  yes?: boolean;
  effect?: string[];
}

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
    .option('--effect <tool=read|write|destroy>', 'what a tool does, in place of what the server hints; again for more', several)
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

async function upstreamsFor(config: Config): Promise<Upstreams> {
  refuseExposed(config);
  return readUpstreams(config, await loadPersona(config.persona));
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
  print(hidden.json({ servers: found, missing } as JsonObject), hidden.text([...text, ...notNamed].join('\n') || none), json);
}

function stateOf({ server, allowed, accepted, same }: KnownServer): string {
  if (!allowed) return 'not allowed by the persona';
  if (server.problem !== undefined) return 'cannot be used';
  if (!accepted) return 'not accepted';
  return same ? 'accepted' : 'accepted for another command or address';
}

async function accept(name: string, config: Config, flags: UpstreamFlags): Promise<void> {
  const upstreams = await upstreamsFor(config);
  const { server, accepted: before } = allowedServer(name, upstreams);
  const { definitions, says } = await looked(name, config, upstreams);
  const effects = { ...before?.effects, ...effectsOf(flags.effect ?? [], definitions) };
  const accepted: Accepted = {
    version: 1,
    server: name,
    fingerprint: server.fingerprint,
    acceptedAt: new Date().toISOString(),
    acceptedBy: config.user,
    effects: Object.fromEntries(Object.entries(effects).filter(([tool]) => definitions.some((each) => each.name === tool))),
    tools: definitions.map((said) => ({ hash: hashOf(said), definition: said })),
  };
  const { tools, left } = offeredTools(accepted);
  const changes = before ? differences(before.tools.map((tool) => tool.definition), definitions) : [];
  const shown = acceptText({ server, says, tools, left, hints: new Map(definitions.map((said) => [said.name, effectOf(said)])) });
  const told = [...shown, ...(changes.length > 0 ? ['', 'Since it was accepted:', ...differencesText(changes)] : [])];
  if (!flags.json) console.log(maskFor(config, upstreams)(told.join('\n')));
  if (!flags.yes && !(await agreed(name))) throw new HoldpointError('denied', 'Nothing was accepted.');
  await withRecords(config, async ({ audit }) => {
    upstreams.accepted.write(accepted);
    audit.append({
      kind: 'upstream.accepted',
      data: {
        upstream: name,
        by: config.user,
        fingerprint: server.fingerprint,
        tools: Object.fromEntries(accepted.tools.map((tool) => [tool.definition.name.slice(0, 100), tool.hash])),
      },
    });
  });
  print(
    { accepted: name, tools: tools.map((tool) => ({ name: tool.name, effect: tool.effect })), left },
    `Accepted ${tools.length} tools of ${name} (${upstreams.accepted.file(name)}). Servers that run are started again to have them.`,
    flags.json,
  );
}

async function agreed(name: string): Promise<boolean> {
  if (!hasTerminal())
    throw new HoldpointError('invalid_input', 'Nobody is there to be asked.', {
      hint: `Run it on a terminal, or with --yes where somebody has looked at "holdpoint upstream test ${name}".`,
    });
  return /^y(?:es)?$/i.test((await ask(`Accept these tools of ${name}? [y/N] `)).trim());
}

function effectsOf(written: readonly string[], definitions: readonly Definition[]): Record<string, Effect> {
  return Object.fromEntries(
    written.map((each): [string, Effect] => {
      const at = each.lastIndexOf('=');
      const [tool, effect] = [each.slice(0, at), each.slice(at + 1)];
      if (!(EFFECTS as readonly string[]).includes(effect) || !definitions.some(({ name }) => name === tool))
        throw new HoldpointError('invalid_input', `"${each}" is no tool of the server with an effect.`, {
          hint: `Write TOOL=read, TOOL=write or TOOL=destroy; it has: ${definitions.map(({ name }) => name).join(', ')}.`,
        });
      return [tool, effect as Effect];
    }),
  );
}

async function diff(name: string, config: Config, { json }: UpstreamFlags): Promise<void> {
  const upstreams = await upstreamsFor(config);
  const { accepted, same } = allowedServer(name, upstreams);
  if (!accepted)
    throw new HoldpointError('not_found', `Nothing of ${name} was accepted yet.`, {
      hint: `holdpoint upstream accept ${name}`,
    });
  const { definitions } = await looked(name, config, upstreams);
  const found = differences(accepted.tools.map((tool) => tool.definition), definitions);
  const told = found.length > 0 ? differencesText(found) : [`The tools of ${name} are what was accepted.`];
  if (!same) told.unshift('It was accepted for another command or address than the file has now.', '');
  print({ same: same && found.length === 0, command: same, differences: found }, maskFor(config, upstreams)(told.join('\n')), json);
  if (found.length > 0 || !same) process.exitCode = 1;
}

async function test(name: string, config: Config, { json }: UpstreamFlags): Promise<void> {
  const upstreams = await upstreamsFor(config);
  const { server } = allowedServer(name, upstreams);
  const { definitions, says } = await looked(name, config, upstreams);
  const tools = definitions.map((said) => ({ hash: hashOf(said), definition: said }));
  const offered = offeredTools({ server: name, tools, effects: {} });
  const told = acceptText({ server, says, ...offered, hints: new Map(definitions.map((said) => [said.name, effectOf(said)])) });
  const summary = { name, says, tools: offered.tools.map((tool) => ({ name: tool.name, effect: tool.effect })), left: offered.left };
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

function allowedServer(name: string, { known }: Upstreams): KnownServer {
  const found = known.find(({ server }) => server.key === name);
  if (found?.allowed) return found;
  throw found
    ? new HoldpointError('denied', `The persona does not name ${name} in its "upstreams", so it is not started.`, {
        hint: 'Name it there, or give another --persona.',
      })
    : new HoldpointError('not_found', `No file of upstream servers names "${name.slice(0, 60)}".`, {
        hint: `Name the file with --mcp-config; there are: ${known.map(({ server }) => server.key).join(', ') || 'none'}.`,
      });
}

/** Starts it, looks, and stops it. */
async function looked(
  name: string,
  config: Config,
  upstreams: Upstreams,
): Promise<{ definitions: Definition[]; says: Session['says'] }> {
  const { server } = allowedServer(name, upstreams);
  const { around, within } = connecting(config, upstreams);
  const session = await connect(server, around, within, { closed() {}, changed() {} });
  try {
    return { definitions: await session.list(), says: session.says };
  } finally {
    await session.close();
  }
}

function maskFor(config: Config, { secrets }: Upstreams): (text: string) => string {
  return createRedactor([...knownSecrets(config), ...secrets]).text;
}
