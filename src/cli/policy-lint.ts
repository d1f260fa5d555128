import { relative } from 'node:path';
import type { Command } from 'commander';

import type { Config, Flags } from '../config/config.ts';
import type { Finding } from '../policy/lint/finding.ts';
import { lintPolicy } from '../policy/lint/lint.ts';
import type { LintReport } from '../policy/lint/lint.ts';
import { readPolicyFile } from '../policy/load.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { plainLine } from './plain.ts';
import { policyFile, policyScope, usable } from './policy-files.ts';

interface LintFlags extends Flags {
  json?: boolean;
  strict?: boolean;
}

export function registerLint(policy: Command): void {
  jsonOption(sharedOptions(policy.command('lint')))
    .description('find mistakes: production or secrets left open, patterns that miss, rules that do nothing')
    .argument('[file]', "a policy's name or file (the persona's own)")
    .option('--persona <name|file>', 'whose policy (devops)')
    .option('--strict', 'exit 1 for warnings too')
    .addHelpText('after', '\nExit code 0: no errors; 1: errors (with --strict: or warnings); 2: the file is no policy.')
    .action((file: string | undefined, flags: LintFlags) => act(flags, (config) => lint(file, config, flags)));
}

async function lint(named: string | undefined, config: Config, { json, strict }: LintFlags): Promise<void> {
  const [scope, file] = await Promise.all([policyScope(config), policyFile(named, config)]);
  const report = await usable(file, json, async () => lintPolicy(await readPolicyFile(file), file, scope));
  if (report === undefined) return;
  print(report, () => reportText(report), json);
  if (report.errors > 0 || (strict && report.warnings > 0)) process.exitCode = 1;
}

function reportText({ file, name, errors, warnings, decided, findings }: LintReport): string {
  const shown = relative('', file);
  const where = shown.startsWith('..') ? file : shown;
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  const tally = findings.length === 0 ? 'no findings' : `${count(errors, 'error')}, ${count(warnings, 'warning')}`;
  return [
    ...findings.flatMap((finding) => findingLines(where, finding)),
    `${name}: ${tally} (${decided} calls decided)`,
  ].join('\n');
}

function findingLines(file: string, { rule, severity, line, column, of, message, fix }: Finding): string[] {
  const about = of === undefined ? '' : ` in "${of}"`;
  return [`${file}:${line}:${column}: ${severity} ${rule}${about}: ${plainLine(message)}`, `    ${plainLine(fix)}`];
}
