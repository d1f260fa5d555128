import type { Config } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { budgetOf, listProblems, type BudgetReport } from '../personas/budget-report.ts';
import { hypertoolFolder } from '../personas/hypertool-read.ts';
import { lintPolicy } from '../policy/lint/lint.ts';
import { readPolicyFile } from '../policy/load.ts';
import { testPolicy } from '../policy/test.ts';
import { listed, type Listed } from './persona-files.ts';

export interface PersonaCheck {
  name: string;
  valid: boolean;
  /** Each in one line, or several where a policy does not load. */
  problems: string[];
  warnings: string[];
  policy?: { name: string; rules: number; examples: number };
  budget?: BudgetReport;
}

/** Looks at all of a persona: its file, the tools it lists and what they cost, its policy with every example, lint. */
export async function checkPersona(named: string, config: Config): Promise<PersonaCheck> {
  const found = await wrong(() => listed(named, config));
  if ('says' in found) return { name: named, valid: false, problems: [found.says], warnings: [] };
  const { persona, tools } = found;
  const [budget, read] = await Promise.all([budgetOf(persona, tools), hypertoolFolder(persona.folder)]);
  const ruled = await wrong(() => checkPolicy(found));
  const problems = [...listProblems(persona, tools, budget), ...('says' in ruled ? [ruled.says] : ruled.problems)];
  return {
    name: persona.name,
    valid: problems.length === 0,
    problems,
    warnings: [
      ...(read?.unknown.tools ?? []).map((id) => `There is no tool ${id} here; it is left out.`),
      ...(read?.unknown.keys ?? []).map((key) => `The key ${key} means nothing here.`),
      ...('says' in ruled ? [] : ruled.warnings),
    ],
    ...('policy' in ruled && { policy: ruled.policy }),
    budget,
  };
}

async function checkPolicy({ persona: { policyFile }, scope }: Listed) {
  const { name, rules, examples, problems } = await testPolicy(policyFile, scope);
  const { findings } = lintPolicy(await readPolicyFile(policyFile), policyFile, scope);
  const told = (severity: 'error' | 'warning') =>
    findings
      .filter((finding) => finding.severity === severity)
      .map(({ line, rule, message }) => `${policyFile}:${line}: ${rule}: ${message}`);
  const examplesWrong = problems.map(({ line, rule, says }) => `${policyFile}:${line}: rule "${rule}": ${says}`);
  return {
    policy: { name, rules, examples },
    // Lint says of an example that fails what the test has said.
    problems: [...examplesWrong, ...told('error').filter((line) => !line.includes(': example-fails: '))],
    warnings: told('warning'),
  };
}

/** What was asked for, or what is wrong with it. */
async function wrong<T extends object>(ask: () => Promise<T>): Promise<T | { says: string }> {
  try {
    return await ask();
  } catch (thrown) {
    if (thrown instanceof HoldpointError && ['invalid_input', 'not_found'].includes(thrown.code))
      return { says: [thrown.message, thrown.hint].filter(Boolean).join(' ') };
    throw thrown;
  }
}
