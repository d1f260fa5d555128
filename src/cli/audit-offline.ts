import { readApproversExport } from '../approvals/approver-file.ts';
import { proveRuns, type Proof, type ProvenRun } from '../approvals/proof.ts';
import type { Head } from '../audit/chain.ts';
import { exportSource } from '../audit/export.ts';
import { verifyAudit } from '../audit/verify.ts';
import { problemLines, verificationText, type VerifyFlags } from './audit-text.ts';
import { print } from './command.ts';
import { plainLine } from './plain.ts';

/** `audit verify --offline`: opens no state and no keys. Exit code 1 where anything does not verify or prove. */
export async function proveOffline(
  file: string,
  { approvers = [], checkpoint = [], json }: VerifyFlags,
  outside: readonly Head[],
): Promise<void> {
  const registries = approvers.map((from) => ({ from, approvers: readApproversExport(from) }));
  const log = await verifyAudit(await exportSource(file), outside);
  const proof = await proveRuns(file, registries);
  const ok = log.ok && proof.problems.length === 0;
  print(
    { ok, log, ...proof, trusted: approvers },
    () => [verificationText(log), '', proofText(proof), '', ...limits(approvers, checkpoint)].join('\n'),
    json,
  );
  if (!ok) process.exitCode = 1;
}

function proofText({ runs, problems }: Proof): string {
  return [
    ...(runs.length === 0
      ? []
      : [`Proved to have been approved before it ran (${runs.length}):`, ...runs.map(runText)]),
    ...(problems.length === 0 ? [] : [`Not proved:`, problemLines(problems)]),
    ...(runs.length + problems.length === 0 ? ['Nothing ran that was held.'] : []),
  ].join('\n');
}

/** What the proof rests on, and what it cannot show. */
function limits(approvers: readonly string[], checkpoints: readonly string[]): string[] {
  return [
    approvers.length > 0
      ? `Keys were held against ${approvers.join(', ')}.`
      : 'Whose the keys are is the word of the export itself: compare the fingerprints, or give --approvers FILE.',
    checkpoints.length > 0
      ? `Up to the last checkpoint of ${checkpoints.join(', ')} nothing is missing or rewritten, if the log verifies. What came later an export cannot prove to be all there is.`
      : 'An export alone cannot prove that it is all there is: the end of a chain, or a whole writer, may have been left out with its head. Give --checkpoint PLACE.',
  ];
}

function runText({ approval, summary, environment, requester, approvedBy, ranAt }: ProvenRun): string {
  const people = approvedBy.map(
    ({ approver, person, kind, key, at, reason }) =>
      `  approved ${time(at)} by ${plainLine(approver)} (${plainLine(person)}; ${kind} ${key.slice(0, 23)}…)${reason ? `: ${plainLine(reason)}` : ''}`,
  );
  const asked = plainLine(`${requester.person}/${requester.agent}`);
  return [
    `${approval}  ran ${time(ranAt)}  ${plainLine(summary)}`,
    `  asked by ${asked}, ${environment ?? 'files'}`,
    ...people,
  ].join('\n');
}

function time(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
