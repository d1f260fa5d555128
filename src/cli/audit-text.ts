import type { Problem, Verification } from '../audit/verify.ts';
import type { Flags } from '../config/config.ts';
import { plainLine } from './plain.ts';

export interface VerifyFlags extends Flags {
  json?: boolean;
  offline?: string;
  approvers?: string[];
  checkpoint?: string[];
}

export function verificationText({ ok, records, writers, checkpoints, problems }: Verification): string {
  const counts = `${records} records of ${writers} writers, ${checkpoints} checkpoints`;
  return ok ? `The log verifies: ${counts}.` : `The log does not verify (${counts}):\n${problemLines(problems)}`;
}

export function problemLines(problems: readonly Problem[]): string {
  return problems
    .map(({ writer, seq, problem, says }) => `${writer} ${seq}: ${problem}: ${plainLine(says)}`)
    .join('\n');
}
