import { Command, CommanderError } from 'commander';

import { VERSION } from '../config/version.ts';

/** Each command's module, loaded when the command is named, so that serving starts fast. */
const COMMANDS: Readonly<Record<string, () => Promise<{ register(program: Command): void }>>> = {
  serve: () => import('./serve.ts'),
  init: () => import('./init.ts'),
  doctor: () => import('./doctor.ts'),
  demo: () => import('./demo.ts'),
  approver: () => import('./approver.ts'),
  approvals: () => import('./approvals.ts'),
  console: () => import('./console.ts'),
  audit: () => import('./audit.ts'),
  policy: () => import('./policy.ts'),
  persona: () => import('./persona.ts'),
  files: () => import('./files.ts'),
  upstream: () => import('./upstream.ts'),
};

/** Runs the command line. Exit code: 0 done, 1 refused or failed, 2 wrong use. */
export async function main(argv: string[]): Promise<void> {
  const program = new Command('holdpoint')
    .description(
      'An MCP server that lets an AI agent work as a DevOps engineer, and holds production launches and deletions until a person approves exactly that action.',
    )
    .version(VERSION)
    .showHelpAfterError('(add --help for what it takes)')
    .exitOverride();
  const named = argv[2] ?? '';
  const wanted = Object.hasOwn(COMMANDS, named) ? [named] : Object.keys(COMMANDS);
  for (const name of wanted) (await COMMANDS[name]!()).register(program);
  try {
    if (argv.length <= 2) program.outputHelp();
    else await program.parseAsync(argv);
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    process.exitCode = thrown.exitCode === 0 ? 0 : 2;
  }
}
