import type { Command } from 'commander';

import { approverRecord } from '../approvals/approvers.ts';
import type { Config, Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { ask, hasTerminal } from './prompt.ts';
import { withRecords } from './records.ts';

type ApproverFlags = Flags & { json?: boolean };

export function register(program: Command): void {
  const approver = program.command('approver').description('the people who may approve, each with a key of their own');

  sharedOptions(approver.command('add <name>'))
    .description('make an approver: a key pair, its private half encrypted with a passphrase')
    .addHelpText(
      'after',
      '\nThe passphrase is asked on the terminal, or taken from HOLDPOINT_APPROVER_PASSPHRASE. Empty: none.',
    )
    .action((name: string, flags: Flags) => act(flags, (config) => add(name, config)));

  jsonOption(sharedOptions(approver.command('list')))
    .description('all approvers')
    .action((flags: ApproverFlags) => act(flags, (config) => list(config, flags.json)));

  sharedOptions(approver.command('remove <name>'))
    .description('remove an approver; what they approved and has not run counts no more')
    .action((name: string, flags: Flags) => act(flags, (config) => remove(name, config)));
}

async function add(name: string, config: Config): Promise<void> {
  const passphrase = await newPassphrase(config);
  await withRecords(config, async ({ approvers, audit }) => {
    const approver = approvers.add({
      name,
      person: config.user,
      at: Date.now(),
      ...(passphrase ? { passphrase } : {}),
    });
    audit.append({
      kind: 'approver.added',
      data: approverRecord(approver),
    });
    await audit.flush();
    console.log(`Added ${name} (${approver.keys[0]?.fingerprint.slice(0, 23)}…). The key is in ${config.keys}.`);
    if (approver.protected) return;
    console.error(
      'Without a passphrase whoever can read that folder can approve in this name: also an agent that has a shell as the same user.\n' +
        `To have one: holdpoint approver remove ${name}, then add it again on a terminal or with HOLDPOINT_APPROVER_PASSPHRASE.`,
    );
  });
}

async function newPassphrase(config: Config): Promise<string> {
  if (config.passphrase !== undefined || !hasTerminal()) return config.passphrase ?? '';
  const first = await ask('Passphrase (empty: none): ', { hidden: true });
  if (first !== '' && (await ask('Once more: ', { hidden: true })) !== first)
    throw new HoldpointError('invalid_input', 'The two passphrases differ.', { hint: 'Try again.' });
  return first;
}

async function list(config: Config, json: boolean | undefined): Promise<void> {
  await withRecords(config, async ({ approvers }) => {
    const found = approvers.list();
    const lines = found.map(
      ({ name, person, addedAt, keys, protected: locked }) =>
        `${name.padEnd(20)} ${person.padEnd(16)} ${addedAt.slice(0, 10)}  ${keys[0]?.fingerprint.slice(0, 23)}…${locked ? '' : '  no passphrase'}`,
    );
    print(found, lines.join('\n') || 'There is no approver yet: holdpoint approver add NAME.', json);
  });
}

async function remove(name: string, config: Config): Promise<void> {
  await withRecords(config, async ({ approvers, audit }) => {
    const approver = approvers.remove(name);
    audit.append({ kind: 'approver.removed', data: approverRecord(approver) });
    await audit.flush();
    console.log(`Removed ${name}.`);
  });
}
