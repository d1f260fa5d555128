import { exampleProblems, runExamples } from './examples.ts';
import type { ExampleOutcome } from './examples.ts';
import { compilePolicy, readPolicyFile } from './load.ts';
import type { LoadOptions } from './load.ts';
import type { Problem } from './problems.ts';

export interface PolicyReport {
  name: string;
  file: string;
  digest: string;
  rules: number;
  examples: number;
  passed: number;
  failed: number;
  /** Failed examples, and rules that none of their examples reaches. */
  problems: Problem[];
  outcomes: ExampleOutcome[];
}

/**
 * Runs every example of a policy and counts.
 *
 * @throws HoldpointError `invalid_input` where the file is no policy.
 */
export async function testPolicy(file: string, options: LoadOptions): Promise<PolicyReport> {
  const policy = compilePolicy(await readPolicyFile(file), file, options);
  const outcomes = runExamples(policy, options);
  const passed = outcomes.filter(({ ok }) => ok).length;
  const { name, digest, rules } = policy;
  return {
    name,
    file,
    digest,
    rules: rules.length,
    examples: outcomes.length,
    passed,
    failed: outcomes.length - passed,
    problems: exampleProblems(outcomes),
    outcomes,
  };
}
