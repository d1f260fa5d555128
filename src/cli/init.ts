import { statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Option, type Command } from 'commander';

import { unifiedDiff } from '../adapters/files/diff.ts';
import { CLIENT_NAMES, placesOf, type Client, type ClientName, type Places, type Scope } from '../clients/client.ts';
import { clientNamed } from '../clients/clients.ts';
import { ENTRY, entryOf, runOf, secretsLeftOut } from '../clients/entry.ts';
import { planEntry, planLock, type Planned, type PlannedEntry } from '../clients/plan.ts';
import { backupOf, writeSettings } from '../clients/settings-file.ts';
import { wantText } from '../clients/wants.ts';
import { DEFAULT_HTTP, refuseExposed, type Config, type Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import type { Json } from '../core/json.ts';
import { loadPersona } from '../personas/persona.ts';
import { createRedactor, knownSecrets } from '../redact/redact.ts';
import { act, sharedOptions } from './command.ts';
import { withPersona } from './persona-document.ts';
import { plain, plainLine } from './plain.ts';
import { ask, hasTerminal } from './prompt.ts';

interface InitFlags extends Flags {
  client: ClientName;
  print?: boolean;
  scope?: Scope;
  command?: string;
  file?: string;
  force?: boolean;
  lockDown?: boolean;
}

/** What one run of `init` is about. */
interface Target {
  client: Client;
  scope: Scope;
  places: Places;
  /** The folder that no file may leave through a link; undefined for a user's own files. */
  within: string | undefined;
  /** Real paths of files that have their copy. */
  copied: Set<string>;
}

export function register(program: Command): void {
  sharedOptions(program.command('init'))
    .description('connect a client: write Holdpoint into its settings, keeping all that is there')
    .addOption(new Option('--client <name>', 'the client').choices(CLIENT_NAMES).makeOptionMandatory())
    .option('--print', 'show what belongs in the file, write nothing')
    .addOption(new Option('--scope <scope>', 'the file of the project or of the user').choices(['project', 'user']))
    .option('--file <path>', 'this file instead')
    .option('--workspace <dir>', 'the folder that the agent works in (.)')
    .option('--persona <name|file>', 'who the agent is (devops)')
    .option('--policy <name|file>', "the policy, instead of the persona's")
    .option('--tools <persona|all>', "list the persona's tools, or all of them (persona; hypertool: all)")
    .option('--http [host:port]', 'connect to a server that you start, instead of letting the client start one')
    .option('--command <words>', 'what starts Holdpoint (this Node with this script)')
    .option('--lock-down', 'also switch off the client’s own shell and edit tools, where it has settings for that')
    .option('--no-lock-down', 'do not')
    .option('--force', 'replace an entry "holdpoint" that init did not make')
    .action((flags: InitFlags) => act(flags, (config) => init(absolute(config), flags)));
}

async function init(config: Config, flags: InitFlags): Promise<void> {
  refuseExposed(config);
  if (!statSync(config.workspace, { throwIfNoEntry: false })?.isDirectory())
    throw new HoldpointError('invalid_input', `There is no folder ${config.workspace}.`, { hint: 'Give --workspace.' });
  await loadPersona((await withPersona(config)).persona);
  const client = clientNamed(flags.client);
  const scope = flags.scope ?? (Object.keys(client.files)[0] as Scope);
  const places = placesOf(config.environment, config.workspace, { home: homedir() });
  const within = scope === 'project' ? config.workspace : undefined;
  const file = flags.file ? resolve(flags.file) : fileOf(client, scope, places);
  const wanted = entryOf(
    client,
    runOf(config, { script: process.argv[1] ?? '', command: flags.command }),
    urlOf(config),
  );
  const target: Target = { client, scope, places, within, copied: new Set() };

  if (flags.print) {
    console.log(JSON.stringify({ [client.servers]: { [ENTRY]: wanted.entry } }, null, 2));
    console.error(`\nThis goes into ${file}.`);
    for (const want of wanted.also ?? []) console.error(`Besides: ${wantText(want)}`);
    tellLockDown(target);
  } else {
    await writeEntry(
      planEntry(client, wanted, file, flags.file ? undefined : within),
      target,
      flags.force ?? false,
      config,
    );
    await lockDown(target, flags.lockDown);
  }
  tellNext(client, config, wanted.token);
}

async function writeEntry(planned: PlannedEntry, target: Target, force: boolean, config: Config): Promise<void> {
  const { settings, before, after, ours, others, text } = planned;
  const redact = createRedactor(knownSecrets(config));
  await redact.ready();
  if (text !== settings.text && before !== undefined)
    console.log(plain(await unifiedDiff(settings.file, shown(redact.json(before)), shown(redact.json(after)))));
  if (!ours && !force)
    throw new HoldpointError(
      'conflict',
      `${settings.file} has an entry "${ENTRY}" that init did not make. It was not touched.`,
      {
        hint: 'Above is what would change: --force replaces it.',
      },
    );
  write(planned, target);
  if (others.length > 0)
    console.log(
      `Other servers in it: ${plainLine(others.join(', '))}. What these let the agent do, Holdpoint neither sees nor holds.`,
    );
}

async function lockDown(target: Target, wanted: boolean | undefined): Promise<void> {
  const { lockDown: lock, title } = target.client;
  if (wanted === false) return;
  if (lock.kind === 'none') return console.log(lock.says);
  const planned = () => lock.files(target.scope, target.places).map((each) => planLock(each, target.within));
  if (planned().every(({ text, settings }) => text === settings.text))
    return console.log(`Lock-down: on already. ${lock.says}`);
  if (wanted === undefined) {
    tellLockDown(target);
    if (!hasTerminal()) return console.error('To write these: the same command with --lock-down.');
    const answer = await ask(`Write these, so that ${title} does not go round Holdpoint? [y/N] `);
    if (!/^y(?:es)?$/i.test(answer.trim())) return;
  }
  for (const each of planned()) write(each, target);
  console.log(`Lock-down: ${lock.says}`);
}

function write({ settings, text }: Planned, { copied }: Target): void {
  const { file, real, exists } = settings;
  if (text === settings.text) return console.log(`Nothing to change in ${file}.`);
  writeSettings(settings, text, { backup: !copied.has(real) });
  copied.add(real);
  const link = real === resolve(file) ? '' : ` (really ${real})`;
  console.log(`${exists ? 'Changed' : 'Made'} ${file}${link}.${exists ? ` As it was: ${backupOf(settings)}` : ''}`);
}

function tellLockDown({ client, scope, places }: Target): void {
  if (client.lockDown.kind === 'none') return console.error(client.lockDown.says);
  console.error(`${client.title} has tools of its own that go round Holdpoint. Against them, in its settings:`);
  for (const lock of client.lockDown.files(scope, places))
    console.error(
      `  ${lock.file}\n${'text' in lock ? indented(lock.text) : indented(lock.wants.map(wantText).join('\n'))}`,
    );
  console.error(client.lockDown.says);
}

function tellNext(client: Client, config: Config, token: string | undefined): void {
  const left = token === undefined ? secretsLeftOut(config) : [];
  if (left.length > 0)
    console.error(
      `Set here, but secret and so not written: ${left.join(', ')}. The client must have them in its environment, or settings of holdpoint.yaml (--config) hold them.`,
    );
  const steps = [client.restart];
  if (token !== undefined) {
    const where = config.httpAuth.token ? 'your settings' : join(config.keys, 'http-token');
    steps.unshift('Serve with the same workspace and persona: holdpoint serve --http', token.replace('{token}', where));
  }
  if (/[\\/]_npx[\\/]/.test(process.argv[1] ?? ''))
    steps.unshift('This runs from a cache that can go: install Holdpoint and run init again.');
  steps.push(
    'Production changes and deletions wait for a person: holdpoint approver add NAME',
    'See what is reachable: holdpoint doctor',
  );
  console.error(`\nNext:\n${steps.map((step, at) => `  ${at + 1}. ${step}`).join('\n')}`);
}

function fileOf(client: Client, scope: Scope, places: Places): string {
  const path = client.files[scope];
  if (path) return path(places);
  throw new HoldpointError('invalid_input', `${client.title} has no file of the ${scope}.`, {
    hint: `Leave --scope out, or give the file with --file.`,
  });
}

function urlOf({ transport, given }: Config): string | undefined {
  if (!given.http) return undefined;
  const { host, port } = transport.kind === 'http' ? transport : DEFAULT_HTTP;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/mcp`;
}

/** Names of files as they count from any folder: the client starts the server from one of its own. */
function absolute(config: Config): Config {
  const placed = (value: string) =>
    /[\\/]|\.(?:ya?ml|md|markdown|mdc|txt|jsonc?)(?:#|$)/.test(value) ? resolve(value) : value;
  return {
    ...config,
    persona: placed(config.persona),
    ...(config.policy === undefined ? {} : { policy: placed(config.policy) }),
  };
}

function shown(entry: Json): string {
  return `${JSON.stringify(entry, null, 2)}\n`;
}

function indented(text: string): string {
  return text.trimEnd().replace(/^/gm, '    ');
}
