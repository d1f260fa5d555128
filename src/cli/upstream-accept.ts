import type { Accepted } from '../adapters/upstream/accepted.ts';
import { differences } from '../adapters/upstream/compare.ts';
import { effectOf, hashOf, type Definition } from '../adapters/upstream/definition.ts';
import type { Config } from '../config/config.ts';
import { EFFECTS, type Effect } from '../core/effect.ts';
import { HoldpointError } from '../core/errors.ts';
import { offeredTools } from '../server/upstreams.ts';
import { print } from './command.ts';
import { ask, hasTerminal } from './prompt.ts';
import { withRecords } from './records.ts';
import { allowedServer, looked, maskFor, upstreamsFor, type UpstreamFlags } from './upstream-servers.ts';
import { acceptText, differencesText } from './upstream-text.ts';

/** Shows every tool of a server as an agent would see it, and on a person's word keeps their definitions. */
export async function accept(name: string, config: Config, flags: UpstreamFlags): Promise<void> {
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
    effects: Object.fromEntries(
      Object.entries(effects).filter(([tool]) => definitions.some((each) => each.name === tool)),
    ),
    tools: definitions.map((said) => ({ hash: hashOf(said), definition: said })),
  };
  const { tools, left } = offeredTools(accepted);
  const changes = before
    ? differences(
        before.tools.map((tool) => tool.definition),
        definitions,
      )
    : [];
  const shown = acceptText({
    server,
    says,
    tools,
    left,
    hints: new Map(definitions.map((said) => [said.name, effectOf(said)])),
  });
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
    `Accepted ${tools.length} tools of ${name} (${upstreams.accepted.file(name)}). A Holdpoint that runs has them when it is started again.`,
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
