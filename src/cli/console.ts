import { Option, type Command } from 'commander';

import { DEFAULT_HTTP, type Config, type Flags } from '../config/config.ts';
import { parseDuration } from '../config/duration.ts';
import { consoleUrl, rememberedAddress } from '../console/address.ts';
import { openLinks } from '../console/links.ts';
import { HoldpointError } from '../core/errors.ts';
import { act, sharedOptions } from './command.ts';
import { withRecords } from './records.ts';

interface LinkFlags extends Flags {
  as: string;
  for: string;
}

const LONGEST = 24 * 3_600_000;

export function register(program: Command): void {
  const console = program
    .command('console')
    .description("the approvers' web page, which `serve --http` serves at /console");

  sharedOptions(console.command('link'))
    .description('print a link that signs an approver in, once')
    .requiredOption('--as <name>', 'the approver to sign in')
    .addOption(new Option('--for <duration>', 'how long the link is good: 30s, 10m, 2h; 24h at most').default('10m'))
    .addHelpText(
      'after',
      '\nWho has the link can sign in in this name and add a passkey to it: give it to that person alone.',
    )
    .action((flags: LinkFlags) => act(flags, (config) => link(config, flags)));
}

async function link(config: Config, flags: LinkFlags): Promise<void> {
  const lasts = parseDuration(flags.for);
  if (lasts === undefined || lasts < 1000 || lasts > LONGEST)
    throw new HoldpointError('invalid_input', `"${flags.for}" is no time for a link to last.`, {
      hint: 'Write a number and a unit, such as 10m; 24h at most.',
    });
  await withRecords(config, async ({ approvers, audit }) => {
    if (!approvers.list().some(({ name }) => name === flags.as))
      throw new HoldpointError('not_found', `There is no approver "${flags.as}".`, {
        hint: 'See `holdpoint approver list`; add one with `holdpoint approver add NAME`.',
      });
    const now = Date.now();
    const until = now + lasts;
    const address = addressOf(config);
    const token = openLinks(config.keys).make(flags.as, until, now);
    audit.append({
      kind: 'console.link',
      data: { approver: flags.as, person: config.user, until: new Date(until).toISOString() },
    });
    await audit.flush();
    console.log(`${address}#link=${token}`);
    console.error(
      `Signs ${flags.as} in, once, until ${new Date(until).toISOString()}. Who has it can sign in in this name.`,
    );
  });
}

/** What the operator set; else where a server with these keys served last; else where it would by default. */
function addressOf(config: Config): string {
  const { host, port } = config.transport.kind === 'http' ? config.transport : DEFAULT_HTTP;
  const listening = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { url } = config.console;
  const known = (url === undefined ? rememberedAddress(config.keys) : undefined) ?? consoleUrl(listening, url);
  if (known !== undefined) return known;
  throw new HoldpointError('invalid_input', 'The address that people open the console at is not known.', {
    hint: 'Set console.url (or HOLDPOINT_CONSOLE_URL), such as https://holdpoint.example.',
  });
}
