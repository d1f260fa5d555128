import { HoldpointError } from '../core/errors.ts';
import type { Call, Services } from './services.ts';

/** The settings `limits` of the configuration, for each principal. */
export interface LimitSettings {
  /** Calls that may be made a minute, and at once after a quiet minute. */
  callsPerMinute: number;
  /** Calls that may run at the same time. */
  concurrentCalls: number;
}

/** A call that was let in, until it leaves; or one that was not. */
export type Entry = { leave(): void } | { refused: TooMuch };

export interface TooMuch {
  reason: string;
  /** Whole seconds after which one more call would have been let in, had nothing else come meanwhile. */
  retryAfter: number;
  /** The first refusal of this principal within a minute: the audit log keeps these, so that a flood does not fill it. */
  first: boolean;
}

export interface Limits {
  /**
   * @param who a principal's id.
   * @param counted whether the call is one of a minute's already, so that only those that run are counted.
   */
  enter(who: string, counted?: boolean): Entry;
}

interface Bucket {
  tokens: number;
  filled: number;
  running: number;
  told: number;
}

const MINUTE = 60_000;
/** One call, but for what adding up fractions loses. */
const WHOLE = 1 - 1e-9;
/** Principals that are kept account of, beyond which the idle ones are forgotten. */
const MAX_IDLE = 1000;

/**
 * A token bucket and a count of running calls for each principal, in this process.
 *
 * @param now milliseconds of a clock that only goes forward.
 */
export function createLimits({ callsPerMinute, concurrentCalls }: LimitSettings, now: () => number): Limits {
  const buckets = new Map<string, Bucket>();
  const perMs = callsPerMinute / MINUTE;
  const filled = (bucket: Bucket): Bucket => {
    const at = now();
    bucket.tokens = Math.min(callsPerMinute, bucket.tokens + (at - bucket.filled) * perMs);
    bucket.filled = at;
    return bucket;
  };
  const forgetIdle = (): void => {
    for (const [who, bucket] of buckets)
      if (bucket.running === 0 && filled(bucket).tokens >= callsPerMinute) buckets.delete(who);
  };
  const refuse = (bucket: Bucket, reason: string, retryAfter: number): Entry => {
    const first = now() - bucket.told >= MINUTE;
    if (first) bucket.told = now();
    return { refused: { reason, retryAfter, first } };
  };
  return {
    enter(who, counted = false) {
      if (buckets.size >= MAX_IDLE && !buckets.has(who)) forgetIdle();
      let bucket = buckets.get(who);
      if (!bucket) {
        bucket = { tokens: callsPerMinute, filled: now(), running: 0, told: -Infinity };
        buckets.set(who, bucket);
      }
      const own = filled(bucket);
      if (!counted && own.tokens < WHOLE)
        return refuse(
          own,
          `You made more than ${callsPerMinute} calls within a minute.`,
          Math.ceil((1 - own.tokens) / perMs / 1000),
        );
      if (own.running >= concurrentCalls)
        return refuse(own, `${own.running} calls of yours are running; more are not taken at the same time.`, 1);
      if (!counted) own.tokens -= 1;
      own.running += 1;
      let left = false;
      return {
        leave() {
          if (left) return;
          left = true;
          own.running -= 1;
        },
      };
    },
  };
}

/** Counts and records a call that was not let in, and gives what to tell its caller. */
export function turnAway(
  { reason, retryAfter, first }: TooMuch,
  who: string,
  transport: Call['transport'],
  { audit, observe }: Pick<Services, 'audit' | 'observe'>,
): HoldpointError {
  observe({ event: 'rate-limited', transport });
  if (first) audit.append({ kind: 'received', data: { refused: 'rate_limited', reason, principal: who, transport } });
  return new HoldpointError('rate_limited', reason, {
    hint: `Nothing was done. Call again after ${retryAfter} s; one larger call is better than many small ones.`,
  });
}
