import { Option, type Command } from 'commander';

import type { ApprovalRequest } from '../approvals/request.ts';
import { STATES, type State } from '../approvals/states.ts';
import type { Config, Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { screenOf } from './layout.ts';
import { plainLine } from './plain.ts';
import { ask } from './prompt.ts';
import { withRecords, type Records } from './records.ts';
import { requestLine, requestText } from './request-text.ts';
import { registerReviews, reviewLine } from './reviews.ts';
import { signed, statementOf, type SigningFlags } from './signing.ts';
import { ticksFor } from './ticks.ts';
import type { WatchOptions } from './watch.ts';

interface DecideFlags extends Flags, SigningFlags {
  as: string;
  reason?: string;
  tick?: string[];
  breakGlass?: boolean;
}

export function register(program: Command): void {
  const approvals = program
    .command('approvals')
    .description('the requests that held calls made, and what people decide');

  jsonOption(sharedOptions(approvals.command('list')))
    .description('pending requests, or those in the given states')
    .addOption(new Option('--in <states...>', 'states').choices([...STATES, 'all']).default(['pending']))
    .action((flags: Flags & { json?: boolean; in: (State | 'all')[] }) => act(flags, (config) => list(config, flags)));

  jsonOption(sharedOptions(approvals.command('show <id>')))
    .description('one request: what would happen, where, why it is held, who decided what; an id may be shortened')
    .action((id: string, flags: Flags & { json?: boolean }) =>
      act(flags, (config) =>
        withRecords(config, async ({ approvals: found }) => {
          const request = await found.examine(await found.named(id));
          print(request, () => requestText(request, screenOf(process.stdout)), flags.json);
        }),
      ),
    );

  jsonOption(sharedOptions(approvals.command('watch')))
    .description('what is open, on the terminal, kept current; approve and deny from there')
    .option('--as <name>', 'the approver who decides; asked for where it is missing')
    .action((flags: Partial<DecideFlags> & { json?: boolean }) =>
      act(flags, async (config) => (await import('./watch.ts')).watch(config, watchOptions(flags))),
    );

  for (const decision of ['approve', 'deny'] as const) {
    const command = sharedOptions(approvals.command(`${decision} <id>`))
      .description(decision === 'approve' ? 'sign that exactly this may run, once' : 'refuse it; final')
      .requiredOption('--as <name>', 'the approver who decides')
      .option('--reason <text>', `why${decision === 'deny' ? ' (the agent reads it)' : ''}`)
      .option('--yes', 'do not ask again on the terminal')
      .option('--ssh [file]', 'sign with an enrolled SSH key (the agent, or ~/.ssh, unless a file is given)')
      .option('--signature <file.sig>', 'take a signature that was made elsewhere, of a statement')
      .option('--statement <file>', 'what was signed there (the same name without .sig)');
    if (decision === 'approve')
      ticking(command).option('--break-glass', 'alone, in an emergency, where the rule allows it');
    command.action((id: string, flags: DecideFlags) => act(flags, (config) => decide(id, decision, flags, config)));
  }

  const statement = sharedOptions(approvals.command('statement <id>'))
    .description('print what is to be signed on another machine: ssh-keygen -Y sign -n holdpoint -f KEY FILE')
    .requiredOption('--as <name>', 'the approver who decides')
    .addOption(new Option('--decision <decision>', 'what is decided').choices(['approve', 'deny']).default('approve'))
    .option('--reason <text>', 'why')
    .option('--ssh <file.pub>', 'which of the enrolled SSH keys');
  ticking(statement)
    .option('--break-glass', 'alone, in an emergency, where the rule allows it')
    .action((id: string, flags: DecideFlags & { decision: 'approve' | 'deny' }) =>
      act(flags, (config) => writeStatement(id, flags, config)),
    );

  registerReviews(approvals);

  sharedOptions(approvals.command('revoke <id>'))
    .description('take an approval back before it runs')
    .option('--as <name>', 'who takes it back')
    .option('--reason <text>', 'why', 'no reason given')
    .action((id: string, flags: Partial<DecideFlags>) =>
      act(flags, (config) =>
        withRecords(config, async (records) => {
          const { id: whole } = await records.approvals.named(id);
          tell(await records.approvals.revoke(whole, flags.as ?? config.user, records.redact(flags.reason ?? '')));
        }),
      ),
    );

  sharedOptions(approvals.command('resolve <id>'))
    .description('say how a run ended whose end nobody saw, after looking')
    .addOption(new Option('--outcome <outcome>', 'how it ended').choices(['done', 'failed']).makeOptionMandatory())
    .option('--as <name>', 'who looked')
    .requiredOption('--reason <text>', 'what was found')
    .action((id: string, flags: DecideFlags & { outcome: 'done' | 'failed' }) =>
      act(flags, (config) =>
        withRecords(config, async (records) => {
          const { id: whole } = await records.approvals.named(id);
          tell(
            await records.approvals.resolve(
              whole,
              flags.outcome,
              flags.as ?? config.user,
              records.redact(flags.reason ?? ''),
            ),
          );
        }),
      ),
    );
}

/** How `watch` decides: with what is missing asked for, as the commands do, and back to the list whatever came of it. */
function watchOptions(flags: Partial<DecideFlags> & { json?: boolean }): WatchOptions {
  return {
    json: flags.json,
    async decide(id, decision) {
      const as = flags.as ?? (await ask('Approver: ')).trim();
      const reason = await ask(decision === 'deny' ? 'Why (the agent reads it): ' : 'Reason (may be empty): ');
      await act(flags, (config) => decide(id, decision, { ...flags, as, reason }, config));
      process.exitCode = 0;
    },
  };
}

function ticking(command: Command): Command {
  return command.option(
    '--tick <items...>',
    'items of its checklists that you say are done; "all": every one that only a person can know',
  );
}

async function list(config: Config, flags: { json?: boolean; in: (State | 'all')[] }): Promise<void> {
  await withRecords(config, async ({ approvals }) => {
    const states = flags.in.includes('all') ? [...STATES] : flags.in.filter((state) => state !== 'all');
    const found = await approvals.list({ states });
    const altered = await approvals.altered();
    if (altered.length > 0)
      console.error(`Changed by hand in the store, never run: ${altered.join(', ')}. Run: holdpoint audit verify`);
    const reviews = await approvals.reviews();
    if (reviews.length > 0)
      console.error(['Reviews of broken glass that are open:', ...reviews.map(reviewLine)].join('\n'));
    print(found, () => found.map(requestLine).join('\n') || `No request is ${flags.in.join(' or ')}.`, flags.json);
  });
}

async function decide(id: string, decision: 'approve' | 'deny', flags: DecideFlags, config: Config): Promise<void> {
  requireReason(decision, flags);
  await withRecords(config, async (records) => {
    const { approvals } = records;
    const named = await approvals.named(id);
    const checked = decision === 'approve' && !flags.breakGlass;
    const request = checked ? await approvals.examine(named) : named;
    // Once more at the end: a long preview moves the beginning off the screen.
    console.error(`${requestText(request, screenOf(process.stderr))}\n\nTo ${decision}: ${plainLine(request.summary)}`);
    // Where it was signed elsewhere, the ticks are in what was signed.
    const ticked = checked && flags.signature === undefined ? await ticksFor(request, flags.tick, flags) : [];
    if (ticked.length > 0) console.error(`You say that these are done: ${ticked.join(', ')}`);
    const said = await saidOf(request, decision, ticked, flags, records);
    tell(await approvals.decide(await signed(said, flags, config, records)));
  });
}

async function writeStatement(
  id: string,
  { decision, ...flags }: DecideFlags & { decision: 'approve' | 'deny' },
  config: Config,
): Promise<void> {
  await withRecords(config, async (records) => {
    const request = await records.approvals.examine(await records.approvals.named(id));
    const ticked = decision === 'approve' ? await ticksFor(request, flags.tick ?? [], {}) : [];
    const said = await saidOf(request, decision, ticked, flags, records);
    process.stdout.write(statementOf(said, flags.ssh, records));
  });
}

function requireReason(decision: 'approve' | 'deny', { reason = '', breakGlass }: DecideFlags): void {
  if (reason.trim() !== '' || (decision === 'approve' && !breakGlass)) return;
  const why = breakGlass
    ? 'Breaking the glass needs a reason: it is reviewed.'
    : 'A denial needs a reason: the agent reads it.';
  throw new HoldpointError('invalid_input', why, { hint: 'Add --reason TEXT.' });
}

async function saidOf(
  { id, digest }: ApprovalRequest,
  decision: 'approve' | 'deny',
  ticked: string[],
  { as, reason = '', breakGlass }: DecideFlags,
  { approvals, redact }: Records,
) {
  const at = await approvals.now();
  const glass = decision === 'approve' && breakGlass ? { breakGlass: true as const } : {};
  return { id, digest, decision, approver: as, at, reason: redact(reason.trim()), ticked, ...glass };
}

function tell(request: ApprovalRequest): void {
  const { id, state, approvalsGiven, approvalsNeeded, stillNeeded, runBy } = request;
  const count =
    state === 'pending'
      ? ` (${approvalsGiven} of ${approvalsNeeded} approvals; needs ${stillNeeded.join(' and ')})`
      : '';
  const until = state === 'approved' && runBy ? `; it may run once until ${new Date(runBy).toISOString()}` : '';
  const window = state === 'approved' && request.window && !request.glass ? ` (${request.window.says})` : '';
  console.log(`${id} is ${state}${count}${until}${window}.`);
}
