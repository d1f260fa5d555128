import { ageText } from './table.ts';
import type { Table } from './table.ts';

/** One line of the Engine's stream of events. */
export interface EngineEvent {
  Type: string;
  Action: string;
  Actor: { ID: string; Attributes?: Record<string, string> };
  /** Seconds since 1970. */
  time: number;
}

export function readEvents(bytes: Buffer): EngineEvent[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as EngineEvent);
}

/** Programs run inside containers: every health check is three of them, and hides the rest. */
export function isExec({ Action }: EngineEvent): boolean {
  return Action.startsWith('exec_');
}

/** Whom it is about, as people name it. */
export function eventName({ Actor }: EngineEvent): string {
  // An image that lost its tags has its id for a name.
  return (Actor.Attributes?.['name'] ?? Actor.ID).replace(/^(?:sha256:)?([0-9a-f]{12})[0-9a-f]{52}$/, '$1');
}

/** The newest first; the same of the same one after the other is one row. */
export function eventTable(events: readonly EngineEvent[], now: number): Table {
  const rows: string[][] = [];
  let last: { key: string; count: number } | undefined;
  for (const event of events.toReversed()) {
    const exit = event.Actor.Attributes?.['exitCode'];
    const what = exit === undefined ? event.Action : `${event.Action} (exit ${exit})`;
    const name = `${event.Type === 'container' ? '' : `${event.Type} `}${eventName(event)}`;
    const key = `${name} ${what}`;
    if (last?.key === key) {
      last.count += 1;
      rows[rows.length - 1] = [rows.at(-1)?.[0] ?? '', name, `${what} x${last.count}`];
      continue;
    }
    last = { key, count: 1 };
    rows.push([ageText(now - event.time), name, what]);
  }
  return { columns: ['ago', 'name', 'event'], rows };
}
