import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Of util-linux: gives a program a terminal of its own. */
const SCRIPT = '/usr/bin/script';
/** Milliseconds in which something must be shown, on a slow machine too. */
const PATIENCE = 60_000;
export const hasScript = existsSync(SCRIPT);

/** A program on a terminal of 80 by 24. */
export interface Terminal {
  /** Everything that was written to the terminal so far, escape sequences included. */
  output: () => string;
  /** Types keys; waits until the terminal shows this after them. */
  type: (keys: string, until: string) => Promise<void>;
  /** Its exit code, and what the shell around it said last: the terminal's settings. */
  ended: Promise<number | null>;
}

/** Starts a program; once it ended, the shell around it prints the terminal's settings. */
export function onTerminal(command: readonly string[], env: Record<string, string>): Terminal {
  const quoted = command.map((word) => `'${word}'`).join(' ');
  const shell = `stty cols 80 rows 24; ${quoted}; code=$?; stty -a; exit $code`;
  const child = spawn(SCRIPT, ['-qfec', shell, '/dev/null'], { env: { ...env, TERM: 'xterm', SHELL: '/bin/sh' } });
  let output = '';
  let changed = () => {};
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    changed();
  });
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  let over = false;
  child.once('exit', () => {
    over = true;
    changed();
  });
  const shows = async (from: number, text: string): Promise<void> => {
    while (!output.slice(from).includes(text)) {
      if (over) throw new Error(`it ended before it showed "${text}": ${output}`);
      let tired: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve, reject) => {
        changed = resolve;
        tired = setTimeout(() => reject(new Error(`it did not show "${text}": ${output}`)), PATIENCE);
      });
      clearTimeout(tired);
    }
  };
  return {
    output: () => output,
    async type(keys, until) {
      const from = output.length;
      child.stdin.write(keys);
      await shows(from, until);
    },
    ended,
  };
}
