import { HoldpointError } from '../../core/errors.ts';

/** Milliseconds that a build may take. */
export const BUILD_LIMIT = 10 * 60_000;
/** Seconds that a push may take where its call does not say. */
export const PUSH_SECONDS = 600;

/**
 * Does the work under a signal that aborts with the call's own, or when the time for a build is over.
 *
 * @throws HoldpointError `timeout` when the time is over; else whatever the work throws.
 */
export function withinBuildLimit<T>(cancelled: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return withinLimit(BUILD_LIMIT, cancelled, work, (cause) => {
    return new HoldpointError('timeout', `The build was stopped: it took more than ${BUILD_LIMIT / 60_000} minutes.`, {
      hint: 'Find the step that hangs or is slow; build a smaller part with target, or build it in CI.',
      cause,
    });
  });
}

/** As withinBuildLimit, for a push. */
export function withinPushLimit<T>(
  seconds: number,
  cancelled: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withinLimit(seconds * 1000, cancelled, work, (cause) => {
    return new HoldpointError('timeout', `The push was stopped: it took more than ${seconds} seconds.`, {
      hint: 'Push again, with a greater timeoutSeconds: layers that are there are not sent twice.',
      unknown: true,
      cause,
    });
  });
}

async function withinLimit<T>(
  milliseconds: number,
  cancelled: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  late: (cause: unknown) => HoldpointError,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), milliseconds);
  try {
    return await work(AbortSignal.any([cancelled, limit.signal]));
  } catch (error) {
    throw limit.signal.aborted ? late(error) : error;
  } finally {
    clearTimeout(timer);
  }
}
