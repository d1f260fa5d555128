import { Option, type Command } from 'commander';

import type { ApprovalRequest } from '../approvals/request.ts';
import { STATES, type State } from '../approvals/states.ts';
import type { Config, Flags } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { plainLine } from './plain.ts';
import { withRecords } from './records.ts';
import { requestLine, requestText } from './request-text.ts';
import { signed, statementOf, type SigningFlags } from './signing.ts';

interface DecideFlags extends Flags, SigningFlags {
  as: string;
  reason?: string;
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
          const request = await found.named(id);
          print(request, () => requestText(request), flags.json);
        }),
      ),
    );

  for (const decision of ['approve', 'deny'] as const) {
    sharedOptions(approvals.command(`${decision} <id>`))
      .description(decision === 'approve' ? 'sign that exactly this may run, once' : 'refuse it; final')
      .requiredOption('--as <name>', 'the approver who decides')
      .option('--reason <text>', `why${decision === 'deny' ? ' (the agent reads it)' : ''}`)
      .option('--yes', 'do not ask again on the terminal')
      .option('--ssh [file]', 'sign with an enrolled SSH key (the agent, or ~/.ssh, unless a file is given)')
      .option('--signature <file.sig>', 'take a signature that was made elsewhere, of a statement')
      .option('--statement <file>', 'what was signed there (the same name without .sig)')
      .action((id: string, flags: DecideFlags) => act(flags, (config) => decide(id, decision, flags, config)));
  }

  sharedOptions(approvals.command('statement <id>'))
    .description('print what is to be signed on another machine: ssh-keygen -Y sign -n holdpoint -f KEY FILE')
    .requiredOption('--as <name>', 'the approver who decides')
    .addOption(new Option('--decision <decision>', 'what is decided').choices(['approve', 'deny']).default('approve'))
    .option('--reason <text>', 'why')
    .option('--ssh <file.pub>', 'which of the enrolled SSH keys')
    .action((id: string, flags: DecideFlags & { decision: 'approve' | 'deny' }) =>
      act(flags, (config) => writeStatement(id, flags, config)),
    );

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

async function list(config: Config, flags: { json?: boolean; in: (State | 'all')[] }): Promise<void> {
  await withRecords(config, async ({ approvals }) => {
    const states = flags.in.includes('all') ? [...STATES] : flags.in.filter((state) => state !== 'all');
    const found = await approvals.list({ states });
    const altered = await approvals.altered();
    if (altered.length > 0)
      console.error(`Changed by hand in the store, never run: ${altered.join(', ')}. Run: holdpoint audit verify`);
    print(found, () => found.map(requestLine).join('\n') || `No request is ${flags.in.join(' or ')}.`, flags.json);
  });
}

async function decide(id: string, decision: 'approve' | 'deny', flags: DecideFlags, config: Config): Promise<void> {
  const reason = flags.reason?.trim() ?? '';
  if (decision === 'deny' && reason === '')
    throw new HoldpointError('invalid_input', 'A denial needs a reason: the agent reads it.', {
      hint: 'Add --reason TEXT.',
    });
  await withRecords(config, async (records) => {
    const { approvals } = records;
    const request = await approvals.named(id);
    // Once more at the end: a long preview moves the beginning off the screen.
    console.error(`${requestText(request)}\n\nTo ${decision}: ${plainLine(request.summary)}`);
    const at = await approvals.now();
    const unsigned = {
      id: request.id,
      digest: request.digest,
      decision,
      approver: flags.as,
      at,
      reason: records.redact(reason),
    };
    tell(await approvals.decide(await signed(unsigned, flags, config, records)));
  });
}

async function writeStatement(
  id: string,
  { decision, as, reason = '', ssh }: DecideFlags & { decision: 'approve' | 'deny' },
  config: Config,
): Promise<void> {
  await withRecords(config, async (records) => {
    const { id: whole, digest } = await records.approvals.named(id);
    const at = await records.approvals.now();
    const said = { id: whole, digest, decision, approver: as, at, reason: records.redact(reason.trim()) };
    process.stdout.write(statementOf(said, ssh, records));
  });
}

function tell(request: ApprovalRequest): void {
  const { id, state, approvalsGiven, approvalsNeeded, stillNeeded, runBy } = request;
  const count =
    state === 'pending'
      ? ` (${approvalsGiven} of ${approvalsNeeded} approvals; needs ${stillNeeded.join(' and ')})`
      : '';
  const until = state === 'approved' && runBy ? `; it may run once until ${new Date(runBy).toISOString()}` : '';
  console.log(`${id} is ${state}${count}${until}.`);
}
