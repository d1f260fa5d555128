import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';

import { recordsSince } from '../audit/read.ts';
import type { Config, Flags } from '../config/config.ts';
import { parseDuration } from '../config/duration.ts';
import { policyFileOf } from '../personas/persona.ts';
import { checkedPolicy, readPolicyFile } from '../policy/load.ts';
import { replay } from '../policy/replay.ts';
import type { Change, ReplayExample, ReplayReport } from '../policy/replay.ts';
import { createRedactor, knownSecrets } from '../redact/redact.ts';
import type { Json } from '../core/json.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { plainLine } from './plain.ts';
import { policyScope, usable } from './policy-files.ts';
import { withRecords } from './records.ts';

interface ReplayFlags extends Flags {
  json?: boolean;
  since: number;
  against: string;
  examples: number;
  failOn: 'loosened' | 'any';
}

export function registerReplay(policy: Command): void {
  jsonOption(sharedOptions(policy.command('replay')))
    .description('decide the calls of the audit log by another policy, and say what would change; runs nothing')
    .requiredOption('--against <name|file>', 'the other policy')
    .addOption(
      new Option('--since <age|date>', 'from when on: 30d, 12h, 2026-07-01')
        .argParser(since)
        .default(since('30d'), '30d'),
    )
    .option('--examples <number>', 'examples of each change', examples, 3)
    .addOption(
      new Option('--fail-on <change>', 'exit 1 when answers are loosened, or when any changes')
        .choices(['loosened', 'any'])
        .default('loosened'),
    )
    .addHelpText(
      'after',
      '\nExit code 0: nothing of that sort changes; 1: something does; 2: no usable policy, or nothing to replay.',
    )
    .action((flags: ReplayFlags) => act(flags, (config) => replayLog(config, flags)));
}

async function replayLog(config: Config, flags: ReplayFlags): Promise<void> {
  const file = policyFileOf(flags.against);
  const policy = await usable(file, flags.json, async () =>
    checkedPolicy(await readPolicyFile(file), file, await policyScope(config)),
  );
  if (policy === undefined) return;
  await withRecords(config, async ({ store }) => {
    const replayed = await replay(policy, recordsSince(store, 'opened', flags.since), flags.examples);
    // The records were masked when they were written, by what was known to be secret then.
    const redactor = createRedactor(knownSecrets(config));
    await redactor.ready();
    const report = redactor.json(replayed as unknown as Json) as unknown as ReplayReport;
    const from = new Date(flags.since).toISOString();
    print({ file, since: from, ...report }, () => reportText(report, from), flags.json);
    if (report.replayed === 0) process.exitCode = 2;
    else if (report.loosened > 0 || (flags.failOn === 'any' && report.tightened > 0)) process.exitCode = 1;
  });
}

function reportText(report: ReplayReport, from: string): string {
  const { policy, records, replayed, same, loosened, tightened, inexact, notReplayed, changes } = report;
  return [
    ...changes.flatMap(changeLines),
    `${policy} against the log since ${from}: ${replayed} of ${records} decisions replayed; ${same} the same, ${loosened} loosened, ${tightened} tightened`,
    ...(inexact > 0 ? [`  ${inexact} replayed from records that do not hold everything: look at those examples`] : []),
    ...notReplayed.map(({ why, count }) => `  ${count} not replayed: ${why}`),
    ...(replayed === 0
      ? ['  nothing was replayed, so nothing is known: is this the state directory of the server?']
      : []),
  ].join('\n');
}

function changeLines({ from, to, loosened, was, now, count, examples: shown }: Change): string[] {
  const by = (rules: readonly string[]) => (rules.length === 0 ? 'no rule' : rules.join(', '));
  return [
    `${loosened ? 'LOOSENED' : 'tightened'} ${from} (${by(was)}) → ${to} (${by(now)}): ${count}`,
    ...shown.flatMap(exampleLines),
  ];
}

function exampleLines({ time, callId, tool, principal, targets, more, reason, inexact }: ReplayExample): string[] {
  const touched = [...targets, ...(more === undefined ? [] : [`${more} more`])].join('; ');
  return [
    `  ${time} ${tool}: ${plainLine(touched)}`,
    `    ${plainLine(principal)}, call ${callId ?? '-'}: ${plainLine(reason)}`,
    ...(inexact === undefined ? [] : [`    inexact: ${inexact.join('; ')}`]),
  ];
}

function since(text: string): number {
  const age = parseDuration(text);
  if (age !== undefined) return Date.now() - age;
  const date = Date.parse(text);
  if (Number.isNaN(date))
    throw new InvalidArgumentError('Give an age such as 30d or 12h, or a date such as 2026-07-01.');
  return date;
}

function examples(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > 100)
    throw new InvalidArgumentError('Give a whole number from 0 to 100.');
  return number;
}
