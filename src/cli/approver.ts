import type { Command } from 'commander';

import type { Identity } from '../approvals/approver-names.ts';
import { approverRecord, type Approver, type Approvers } from '../approvals/approvers.ts';
import type { ApproverKey } from '../approvals/keys.ts';
import { peopleOf } from '../approvals/persons.ts';
import type { Config, Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { registerKeys } from './approver-keys.ts';
import { keyOptions, newPassphrase, recorded, short, sshKeyOf, warnOfOpenKey, type KeyFlags } from './enrolling.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { withRecords } from './records.ts';

type ApproverFlags = Flags & { json?: boolean };

interface WhoFlags extends Flags {
  person?: string;
  also?: string[];
  group?: string[];
  role?: string[];
}

export function register(program: Command): void {
  const approver = program.command('approver').description('the people who may approve, each with keys of their own');

  keyOptions(whoOptions(sharedOptions(approver.command('add <name>'))))
    .description('make an approver: a key pair, its private half encrypted with a passphrase, or a key from elsewhere')
    .addHelpText(
      'after',
      '\nThe passphrase is asked on the terminal, or taken from HOLDPOINT_APPROVER_PASSPHRASE. Empty: none.',
    )
    .action((name: string, flags: WhoFlags & KeyFlags) => act(flags, (config) => add(name, flags, config)));

  whoOptions(sharedOptions(approver.command('set <name>')))
    .description('say anew who an approver is; what is not given stays')
    .addHelpText('after', '\nAn empty value takes all of a kind away: --group ""')
    .action((name: string, flags: WhoFlags) => act(flags, (config) => set(name, flags, config)));

  jsonOption(sharedOptions(approver.command('list')))
    .description('all approvers, their groups, roles and keys')
    .action((flags: ApproverFlags) => act(flags, (config) => list(config, flags.json)));

  sharedOptions(approver.command('export'))
    .description('who they are and their public keys, as JSON on standard output, for "audit verify --approvers"')
    .action((flags: Flags) =>
      act(flags, (config) =>
        withRecords(config, async ({ approvers }) => {
          print({ approvers: approvers.list().map((each) => approverRecord(each)) }, '', true);
        }),
      ),
    );

  sharedOptions(approver.command('remove <name>'))
    .description('remove an approver; what they approved and has not run counts no more')
    .action((name: string, flags: Flags) =>
      act(flags, (config) =>
        withRecords(config, async (records) => {
          await recorded('approver.removed', records.approvers.remove(name), records);
          console.log(`Removed ${name}.`);
        }),
      ),
    );

  registerKeys(approver);
}

function whoOptions(command: Command): Command {
  return command
    .option('--group <group>', 'a group that rules may ask for; again for more', several)
    .option('--role <role>', 'a role that rules may ask for; again for more', several)
    .option('--person <person>', "who it is (the operating system's user): one person counts once")
    .option('--also <identity>', 'another identity of the same person, such as SUB@ISSUER of a token', several);
}

/** What of `whoOptions` was given. */
function whoOf({ person, also, group, role }: WhoFlags): Partial<Identity> {
  return {
    ...(person !== undefined && { person }),
    ...(also && { also }),
    ...(group && { groups: group }),
    ...(role && { roles: role }),
  };
}

/** An option given several times; given empty it takes all away. */
function several(value: string, before: string[] = []): string[] {
  return value === '' ? before : [...before, value];
}

async function add(name: string, flags: WhoFlags & KeyFlags, config: Config): Promise<void> {
  const key = sshKeyOf(flags);
  const passphrase = key ? '' : await newPassphrase(config);
  await withRecords(config, async (records) => {
    const approver = records.approvers.add({
      name,
      person: config.user,
      ...whoOf(flags),
      at: Date.now(),
      ...(key && { key }),
      ...(passphrase && { passphrase }),
      ...(flags.breakGlass && { breakGlass: true }),
    });
    await recorded('approver.added', approver, records);
    console.log(`Added ${name} (${short(approver.keys[0])}). ${whereKeys(key, config)}`);
    warnOfSamePerson(approver, records.approvers.list());
    if (!approver.protected) warnOfOpenKey(name);
  });
}

async function set(name: string, flags: WhoFlags, config: Config): Promise<void> {
  const changes = whoOf(flags);
  if (Object.keys(changes).length === 0)
    throw new HoldpointError('invalid_input', 'Nothing was said to set.', {
      hint: 'Give --group, --role, --person or --also.',
    });
  await withRecords(config, async (records) => {
    const approver = records.approvers.set(name, changes);
    await recorded('approver.changed', approver, records);
    console.log(approverText(approver, records.approvers));
    warnOfSamePerson(approver, records.approvers.list());
  });
}

async function list(config: Config, json: boolean | undefined): Promise<void> {
  await withRecords(config, async ({ approvers }) => {
    const found = approvers.list();
    const text = found.map((each) => approverText(each, approvers)).join('\n');
    print(found, text || 'There is no approver yet: holdpoint approver add NAME.', json);
  });
}

/** Two names of one person approve once between them, which is seldom what somebody adding the second one wants. */
function warnOfSamePerson({ name, person }: Approver, all: readonly Approver[]): void {
  const people = peopleOf(all);
  const others = all.filter((each) => each.name !== name && people.of(each.name) === people.of(name));
  if (others.length === 0) return;
  console.error(
    `${[...others.map((each) => each.name), name].join(', ')} are one person (${person}) and count once. For somebody else: holdpoint approver set ${name} --person THEIR-USER-NAME`,
  );
}

function approverText({ name, person, also, groups, roles, addedAt, keys }: Approver, approvers: Approvers): string {
  const labels = [...groups.map((group) => `group ${group}`), ...roles.map((role) => `role ${role}`)];
  const who = [person, ...also].join(' = ');
  const first = `${name.padEnd(20)} ${who.padEnd(16)} ${addedAt.slice(0, 10)}  ${labels.join(', ')}`;
  const isOpen = (key: ApproverKey) => key.kind === 'own' && approvers.isLocked(name, key.breakGlass) === false;
  return [first.trimEnd(), ...keys.map((key) => `  ${keyText(key)}${isOpen(key) ? '  no passphrase' : ''}`)].join('\n');
}

function keyText(key: ApproverKey): string {
  const what =
    key.kind === 'ssh' ? (key.publicKey.split(' ')[0] ?? '') : key.kind === 'passkey' ? `for ${key.rpId}` : '';
  const glass = key.kind !== 'passkey' && key.breakGlass ? '  break-glass' : '';
  return `${key.kind.padEnd(8)} ${short(key)}  ${what}${glass}`.trimEnd();
}

function whereKeys(key: ApproverKey | undefined, config: Config): string {
  return key ? 'Its private half stays where it is.' : `The key is in ${config.keys}.`;
}
