import { emitKeypressEvents, type Key } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ApprovalRequest } from '../approvals/request.ts';
import { OPEN_STATES } from '../approvals/states.ts';
import type { Config } from '../config/config.ts';
import { HoldpointError } from '../core/errors.ts';
import { screenOf } from './layout.ts';
import { ask } from './prompt.ts';
import { withRecords, type Records } from './records.ts';
import { requestText } from './request-text.ts';
import { draw, loaded, nothingYet, pressed, textLines, type Act, type Size } from './watch-list.ts';

/** Milliseconds between looks at the store. */
const EVERY = 1000;
const STATES = [...OPEN_STATES, 'unknown'] as const;

export interface WatchOptions {
  json?: boolean | undefined;
  /** Decides on the terminal as `approvals approve` and `deny` do; says itself what was refused. */
  decide: (id: string, decision: 'approve' | 'deny') => Promise<void>;
}

/**
 * Shows what is open until it is told to quit: a list on the terminal, or with `json` a line for each request and each change
 * of one.
 *
 * @throws HoldpointError `invalid_input` without a terminal.
 */
export async function watch(config: Config, { json, decide }: WatchOptions): Promise<void> {
  if (!json && !(process.stdin.isTTY && process.stdout.isTTY))
    throw new HoldpointError('invalid_input', 'There is no terminal to watch on.', {
      hint: 'Run it on a terminal, add --json for lines, or see `holdpoint approvals list`.',
    });
  await withRecords(config, (records) => (json ? printChanges(records) : watchTerminal(records, decide)));
}

/** Ends with the process, or when nobody reads any more. */
async function printChanges({ approvals }: Records): Promise<void> {
  const said = new Map<string, string>();
  const reader = new AbortController();
  process.stdout.once('error', () => reader.abort());
  const say = (request: ApprovalRequest) => {
    const { id, digest, state, environment, summary, tool, principal, createdAt, approveBy, movedAt } = request;
    const counts = { approvalsGiven: request.approvalsGiven, approvalsNeeded: request.approvalsNeeded };
    const line = JSON.stringify({
      id,
      state,
      ...counts,
      environment,
      summary,
      tool,
      principal,
      digest,
      createdAt,
      approveBy,
      movedAt,
    });
    if (said.get(id) !== line) console.log(line);
    said.set(id, line);
  };
  while (!reader.signal.aborted) {
    const open = await approvals.list({ states: STATES });
    for (const request of open.toReversed()) say(request);
    for (const id of said.keys()) {
      if (open.some((each) => each.id === id)) continue;
      say(await approvals.find(id));
      said.delete(id);
    }
    await sleep(EVERY);
  }
}

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

/** The other screen and raw keys; `leave` gives both back, and is safe to call at any time. */
function openScreen(press: (key: string) => void) {
  const { stdin, stdout } = process;
  const onKey = (char: string | undefined, { name, ctrl }: Key) =>
    press(ctrl && name === 'c' ? 'ctrl-c' : (name ?? char ?? ''));
  let inside = false;
  const leave = () => {
    if (!inside) return;
    inside = false;
    stdin.off('keypress', onKey).pause();
    stdin.setRawMode(false);
    stdout.write(LEAVE);
  };
  emitKeypressEvents(stdin);
  return {
    enter() {
      inside = true;
      stdin.on('keypress', onKey).resume();
      stdin.setRawMode(true);
      stdout.write(ENTER);
    },
    leave,
    /** Every line is written over, and its rest cleared, so that nothing flickers. */
    show: (lines: readonly string[]) =>
      inside && stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}`),
    size: (): Size => ({ columns: stdout.columns, rows: stdout.rows }),
  };
}

async function watchTerminal({ approvals }: Records, decide: WatchOptions['decide']): Promise<void> {
  const waiting: Act[] = [];
  let wake = () => {};
  const screen = openScreen((key) => {
    const { state: next, act } = pressed(state, key);
    state = next;
    if (act) waiting.push(act);
    paint();
    if (act) wake();
  });
  let state = nothingYet(screen.size());
  const paint = () => screen.show(draw(state, Date.now()));
  const resize = () => {
    state = { ...state, size: screen.size(), open: undefined };
    paint();
  };
  const stop = () => {
    waiting.push({ act: 'quit' });
    wake();
  };
  const stops = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of stops) process.on(signal, stop);
  process.on('exit', screen.leave);
  process.stdout.on('resize', resize);
  screen.enter();
  try {
    for (;;) {
      state = loaded(state, await approvals.list({ states: STATES }));
      paint();
      const next = waiting.shift();
      if (next?.act === 'quit') return;
      if (next?.act === 'show') {
        const request = await approvals.find(next.id);
        state = {
          ...state,
          open: {
            lines: textLines(requestText(request, { ...screenOf(process.stdout), colour: false }), screen.size()),
            top: 0,
          },
        };
      } else if (next) {
        screen.leave();
        await decide(next.id, next.act);
        await ask('Enter goes back to the list. ');
        state = { ...state, open: undefined };
        screen.enter();
      } else {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        if (waiting.length === 0) await Promise.race([woken, sleep(EVERY)]);
      }
    }
  } finally {
    screen.leave();
    process.stdout.off('resize', resize);
    process.off('exit', screen.leave);
    for (const signal of stops) process.off(signal, stop);
  }
}
