import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Whether a person is there to be asked. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on the terminal; with `hidden` the answer is not shown. */
export async function ask(question: string, { hidden = false }: { hidden?: boolean } = {}): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: hidden ? silent : process.stderr, terminal: true });
  if (hidden) process.stderr.write(question);
  try {
    return await reader.question(hidden ? '' : question);
  } finally {
    reader.close();
    if (hidden) process.stderr.write('\n');
  }
}
