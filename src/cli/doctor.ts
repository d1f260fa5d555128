import type { Command } from 'commander';

import type { Config, Flags } from '../config/config.ts';
import type { Finding } from '../doctor/check.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { withPersona } from './persona-document.ts';
import { plainLine } from './plain.ts';

type DoctorFlags = Flags & { json?: boolean };

export function register(program: Command): void {
  jsonOption(sharedOptions(program.command('doctor')))
    .description('say what is reachable, what the policy would do with it, and how to mend the rest; changes nothing')
    .option('--workspace <dir>', 'the folder that the agent works in (.)')
    .option('--persona <name|file>', 'who the agent is (devops)')
    .option('--policy <name|file>', "the policy, instead of the persona's")
    .option('--http [host:port]', 'the address to be served')
    .addHelpText('after', '\nok; warn: look at it; fail: mend it; off: not configured. Exit code 1 for a fail, else 0.')
    .action((flags: DoctorFlags) => act(flags, (config) => doctor(config, flags.json)));
}

async function doctor(config: Config, json: boolean | undefined): Promise<void> {
  const { examine } = await import('../doctor/doctor.ts');
  const findings = await examine(await withPersona(config));
  const ok = findings.every(({ level }) => level !== 'fail');
  print({ ok, findings }, () => report(findings), json);
  if (!ok) process.exitCode = 1;
}

function report(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  const lines = findings.map(({ level, what, detail, fix }) => {
    const line = `${level.padEnd(4)}  ${plainLine(what).padEnd(width)}  ${plainLine(detail)}`;
    return fix === undefined ? line : `${line}\n${' '.repeat(width + 8)}→ ${plainLine(fix)}`;
  });
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  return [
    ...lines,
    '',
    `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} to mend, ${count('off')} not configured`,
  ].join('\n');
}
