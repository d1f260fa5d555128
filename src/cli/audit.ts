import { InvalidArgumentError, type Command } from 'commander';

import type { Head } from '../audit/chain.ts';
import { exportAudit, exportSource } from '../audit/export.ts';
import { storeSource, tailAudit } from '../audit/read.ts';
import { verifyAudit, type Verification } from '../audit/verify.ts';
import type { Config, Flags } from '../config/config.ts';
import { verificationText, type VerifyFlags } from './audit-text.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { plainLine } from './plain.ts';
import { withRecords } from './records.ts';

type AuditFlags = Flags & { json?: boolean };

export function register(program: Command): void {
  const audit = program.command('audit').description('the log of every call and decision');

  jsonOption(sharedOptions(audit.command('tail')))
    .description('the last records, oldest first')
    .option('-n, --lines <number>', 'how many', count, 50)
    .option('--about <id>', 'only of this call or approval request')
    .action((flags: AuditFlags & { lines: number; about?: string }) =>
      act(flags, (config) =>
        withRecords(config, async ({ store }) => {
          const records = await tailAudit(store, flags.lines, flags.about ? { about: flags.about } : {});
          const lines = records.map(
            ({ time, kind, callId, data }) =>
              `${time} ${kind.padEnd(18)} ${callId ?? '-'} ${plainLine(JSON.stringify(data))}`,
          );
          print(records, lines.join('\n') || 'The log is empty.', flags.json);
        }),
      ),
    );

  jsonOption(sharedOptions(audit.command('verify [file]')))
    .description('check every record and every link, of the log or of an exported file')
    .option('--offline <export>', 'also prove who approved what ran, from the export and public keys alone')
    .option('--approvers <file>', 'public keys to trust, from "approver export"; again for other times', several)
    .option(
      '--checkpoint <place>',
      'hold it against checkpoints: a file, or git:REPOSITORY@REF; again for more',
      several,
    )
    .action((file: string | undefined, flags: VerifyFlags) =>
      act(flags, async (config) => {
        if (flags.offline !== undefined) {
          const { proveOffline } = await import('./audit-offline.ts');
          return proveOffline(flags.offline, flags, await checkpointsOf(flags, config));
        }
        const outside = await checkpointsOf(flags, config);
        if (file !== undefined) return tell(await verifyAudit(await exportSource(file), outside), flags.json);
        await withRecords(config, async ({ store }) =>
          tell(await verifyAudit(await storeSource(store), outside), flags.json),
        );
      }),
    );

  jsonOption(sharedOptions(audit.command('export')))
    .description(
      'the whole log as JSON lines on standard output, with or without --json; "audit verify FILE" checks such a file',
    )
    .action((flags: Flags) =>
      act(flags, (config) =>
        withRecords(config, async ({ store }) => {
          for await (const line of exportAudit(store)) process.stdout.write(`${line}\n`);
        }),
      ),
    );
}

function several(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** What the places know that `--checkpoint` names. */
async function checkpointsOf({ checkpoint = [] }: VerifyFlags, { environment }: Config): Promise<Head[]> {
  const { readCheckpoints } = await import('../audit/places/places.ts');
  const known = await Promise.all(checkpoint.map((place) => readCheckpoints(place, environment['PATH'] ?? '')));
  return known.flat();
}

function tell(result: Verification, json: boolean | undefined): void {
  print(result, () => verificationText(result), json);
  if (!result.ok) process.exitCode = 1;
}

function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 10_000)
    throw new InvalidArgumentError('Give a whole number from 1 to 10000.');
  return number;
}
