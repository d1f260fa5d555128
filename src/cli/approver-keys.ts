import type { Command } from 'commander';

import type { Config, Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { keyOptions, newPassphrase, recorded, short, sshKeyOf, warnOfOpenKey, type KeyFlags } from './enrolling.ts';
import { act, sharedOptions } from './command.ts';
import { withRecords } from './records.ts';

/** `approver key …`. */
export function registerKeys(approver: Command): void {
  const key = approver.command('key').description("an approver's further keys");

  keyOptions(sharedOptions(key.command('add <name>')))
    .description('give an approver one more key')
    .action((name: string, flags: KeyFlags) => act(flags, (config) => add(name, flags, config)));

  sharedOptions(key.command('remove <name> <fingerprint>'))
    .description('take a key away; what it signed and has not run counts no more; a fingerprint may be shortened')
    .action((name: string, fingerprint: string, flags: Flags) =>
      act(flags, (config) => remove(name, fingerprint, config)),
    );
}

async function add(name: string, flags: KeyFlags, config: Config): Promise<void> {
  const ssh = sshKeyOf(flags);
  const passphrase = ssh ? '' : await newPassphrase(config);
  await withRecords(config, async (records) => {
    const approver = ssh
      ? records.approvers.addKey(name, ssh)
      : records.approvers.addOwnKey(name, {
          at: Date.now(),
          ...(passphrase && { passphrase }),
          ...(flags.breakGlass && { breakGlass: true }),
        });
    await recorded('approver.changed', approver, records);
    console.log(`Added to ${name}: ${short(approver.keys.at(-1))}.`);
    if (!ssh && passphrase === '') warnOfOpenKey(name);
  });
}

async function remove(name: string, fingerprint: string, config: Config): Promise<void> {
  await withRecords(config, async (records) => {
    const keys = records.approvers.list().find((each) => each.name === name)?.keys ?? [];
    const found = keys.filter((each) => each.fingerprint.startsWith(fingerprint.replace(/…$/, '')));
    if (found.length > 1)
      throw new HoldpointError('conflict', `Several keys of ${name} begin with ${fingerprint}.`, {
        hint: 'Give more of it; see `holdpoint approver list --json`.',
      });
    const approver = records.approvers.removeKey(name, found[0]?.fingerprint ?? fingerprint);
    await recorded('approver.changed', approver, records);
    console.log(`Removed from ${name}: ${short(found[0])}.`);
    if (approver.keys.length === 0) console.error(`${name} has no key left and cannot decide anything.`);
  });
}
