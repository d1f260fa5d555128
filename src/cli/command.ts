import { inspect } from 'node:util';
import type { Command } from 'commander';

import { loadConfig, type Config, type Flags } from '../config/config.ts';
import { asHoldpointError } from '../core/errors.ts';
import { createRedactor } from '../redact/redact.ts';

/** Options that every command takes. */
export function sharedOptions(command: Command): Command {
  return command
    .option('--state <dir>', 'state directory (HOLDPOINT_STATE)')
    .option('--keys <dir>', 'keys directory (HOLDPOINT_KEYS)')
    .option('--config <file>', 'settings file (HOLDPOINT_CONFIG)');
}

/** The `--json` of every reading command. */
export function jsonOption(command: Command): Command {
  return command.option('--json', 'print JSON');
}

/** Prints a result on stdout: JSON when asked for, else the text. */
export function print(value: unknown, text: string | (() => string), json: boolean | undefined): void {
  console.log(json ? JSON.stringify(value, null, 2) : typeof text === 'string' ? text : text());
}

/**
 * Runs a command's body with its Config and turns what it throws into a message on stderr and an exit code: 0 done,
 * 1 refused or failed, 2 wrong use.
 */
export async function act(flags: Flags, body: (config: Config) => Promise<void> | void): Promise<void> {
  try {
    await body(loadConfig(flags));
  } catch (thrown) {
    const error = asHoldpointError(thrown);
    const lines = [`holdpoint: ${error.message}`];
    if (error.hint) lines.push(`  ${error.hint}`);
    if (error.code === 'internal' && error.cause !== undefined) lines.push(inspect(error.cause));
    // The settings may be what is wrong, so no value of theirs is known here.
    console.error(createRedactor([]).text(lines.join('\n')));
    process.exitCode = error.code === 'invalid_input' ? 2 : 1;
  }
}
