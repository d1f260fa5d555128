import { asHoldpointError, HoldpointError } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Config } from '../config/config.ts';
import type { Policy } from '../policy/policy.ts';
import type { Registry } from '../server/registry.ts';

/** `off`: not configured, which is no fault. `warn`: works, but look at it. */
export type Level = 'ok' | 'warn' | 'fail' | 'off';

/** One line of the doctor's report. */
export interface Finding {
  level: Level;
  what: string;
  detail: string;
  /** What to do about it. */
  fix?: string;
}

/** What every check may look at; nothing of it changes anything. */
export interface Context {
  config: Config;
  facts: Facts;
  registry: Registry;
  /** Undefined where it does not load. */
  policy: Policy | undefined;
  /** Aborts when the check's time is over. */
  signal: AbortSignal;
}

export interface Check {
  /** What a finding is about when the check itself fails. */
  what: string;
  run: (context: Context) => Promise<Finding[]> | Finding[];
}

/** Milliseconds that one check may take. */
const LIMIT = 5000;

/** Runs all checks at once; one that takes too long or fails becomes a finding itself. In the order of the checks. */
export async function runChecks(
  checks: readonly Check[],
  context: Omit<Context, 'signal'>,
  limit = LIMIT,
): Promise<Finding[]> {
  const all = await Promise.all(
    checks.map(async ({ what, run }) => {
      try {
        return await within(limit, async (signal) => run({ ...context, signal }));
      } catch (thrown) {
        return [failed(what, thrown)];
      }
    }),
  );
  return all.flat();
}

/** An error as a finding; `fix` in place of the error's own hint, which speaks to agents. */
export function failed(what: string, thrown: unknown, level: Level = 'fail', fix?: string): Finding {
  const { message, hint, code } = asHoldpointError(thrown);
  const detail = code === 'internal' && thrown instanceof Error ? thrown.message : message;
  const todo = fix ?? (code === 'internal' ? undefined : hint);
  return { level, what, detail, ...(todo === undefined ? {} : { fix: todo }) };
}

async function within<T>(limit: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new HoldpointError('timeout', `no answer within ${limit / 1000} s`, {
      hint: 'Look whether it hangs or is far away, then try again.',
    });
    reject(error);
    controller.abort(error);
  }, limit);
  try {
    return await Promise.race([over, work(controller.signal)]);
  } finally {
    clearTimeout(timer);
  }
}
