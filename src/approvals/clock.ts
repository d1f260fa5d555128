import { performance } from 'node:perf_hooks';

import type { Session } from '../store/store.ts';

/** Both in milliseconds: `wall` since 1970, as people may set it; `steady` since some moment, never set. */
export interface Clock {
  wall(): number;
  steady(): number;
}

export const systemClock: Clock = { wall: () => Date.now(), steady: () => performance.now() };

export interface Timeline {
  /** Milliseconds since 1970, never less than this process has said before, nor than any process has kept. */
  read(session: Session): Promise<number>;
  /** Keeps a time for all later processes; in the transaction that acted on it. */
  keep(session: Session, now: number): Promise<void>;
}

/**
 * Time that a clock set back neither repeats nor stops: the highest of the clock, of what the store has seen, and of what
 * this process has seen since its start plus the steady time since.
 */
export function createTimeline(clock: Clock): Timeline {
  let seen = { time: clock.wall(), steady: clock.steady() };
  return {
    async read(session) {
      const [row] = await session.query<{ value: string }>(`SELECT value FROM facts WHERE name = 'time'`);
      const steady = clock.steady();
      // Changed by hand it may be no number, and nothing would ever be due again.
      const kept = Number.isSafeInteger(Number(row?.value)) ? Number(row?.value) : 0;
      seen = {
        time: Math.floor(Math.max(clock.wall(), kept, seen.time + (steady - seen.steady))),
        steady,
      };
      return seen.time;
    },
    async keep(session, now) {
      await session.query(
        `INSERT INTO facts (name, value) VALUES ('time', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
        [String(now)],
      );
    },
  };
}
