import type { Command } from 'commander';

import type { ApprovalRequest } from '../approvals/request.ts';
import type { Config, Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { plainLine } from './plain.ts';
import { withRecords } from './records.ts';
import { signedHere, type SigningFlags } from './signing.ts';
import { itemNamed } from './ticks.ts';

interface RemarkFlags extends Flags, SigningFlags {
  as: string;
  reason?: string;
}

/** What people do to a request after it has run: tick what comes afterwards, and review broken glass. */
export function registerReviews(approvals: Command): void {
  const signing = (command: Command) =>
    sharedOptions(command)
      .requiredOption('--as <name>', 'the approver who says so')
      .option('--yes', 'do not ask again on the terminal')
      .option('--ssh [file]', 'sign with an enrolled SSH key (the agent, or ~/.ssh, unless a file is given)');

  signing(approvals.command('tick <id> <items...>'))
    .description('say, once it has run, that items of its checklists are done')
    .option('--reason <text>', 'what was seen')
    .action((id: string, items: string[], flags: RemarkFlags) =>
      act(flags, (config) => tick(id, items, flags, config)),
    );

  jsonOption(sharedOptions(approvals.command('reviews')))
    .description('requests for which somebody broke the glass and nobody has reviewed it yet')
    .option('--all', 'reviewed ones too')
    .action((flags: Flags & { json?: boolean; all?: boolean }) =>
      act(flags, (config) =>
        withRecords(config, async ({ approvals: found }) => {
          const requests = await found.reviews(!flags.all);
          print(requests, () => requests.map(reviewLine).join('\n') || 'No review is open.', flags.json);
        }),
      ),
    );

  signing(approvals.command('review <id>'))
    .description('close the review of broken glass: what was looked at, and what came of it; not by who broke it')
    .requiredOption('--reason <text>', 'what was found')
    .action((id: string, flags: RemarkFlags) => act(flags, (config) => review(id, flags, config)));
}

/** One line of the list of reviews. */
export function reviewLine({ id, glass, environment, state, summary }: ApprovalRequest): string {
  const { by = '', at = 0, reason = '', reviewed } = glass ?? {};
  const end = reviewed ? `  reviewed by ${reviewed.by}: ${reviewed.reason}` : '';
  const when = new Date(at).toISOString().slice(0, 16);
  return plainLine(`${id.slice(0, 12)}  ${when}Z  ${by}  ${state}  ${environment ?? '-'}  ${summary}: ${reason}${end}`);
}

async function tick(id: string, items: readonly string[], flags: RemarkFlags, config: Config): Promise<void> {
  await withRecords(config, async (records) => {
    const { approvals, redact } = records;
    const request = await approvals.named(id);
    const later = (request.checklist ?? []).filter(({ phase }) => phase !== 'pre');
    const ticked = items.map((item) => itemNamed(item, later).id);
    const said = {
      id: request.id,
      digest: request.digest,
      decision: 'tick' as const,
      approver: flags.as,
      at: await approvals.now(),
      reason: redact(flags.reason?.trim() ?? ''),
      ticked,
    };
    const { checklist = [] } = await approvals.tick(await signedHere(said, flags, config, records));
    const open = checklist.filter(({ phase, kind, state }) => phase !== 'pre' && kind === 'person' && state !== 'ok');
    console.log(
      `Ticked: ${ticked.join(', ')}. Open: ${open.map((item) => item.id).join(', ') || 'none for a person'}.`,
    );
  });
}

async function review(id: string, flags: RemarkFlags, config: Config): Promise<void> {
  const reason = flags.reason?.trim() ?? '';
  if (reason === '')
    throw new HoldpointError('invalid_input', 'A review needs words: what was looked at, and what came of it.', {
      hint: 'Add --reason TEXT.',
    });
  await withRecords(config, async (records) => {
    const { approvals, redact } = records;
    const request = await approvals.named(id);
    if (request.glass) console.error(reviewLine(request));
    const said = {
      id: request.id,
      digest: request.digest,
      decision: 'review' as const,
      approver: flags.as,
      at: await approvals.now(),
      reason: redact(reason),
    };
    await approvals.review(await signedHere(said, flags, config, records));
    console.log(`${request.id} is reviewed by ${flags.as}.`);
  });
}
