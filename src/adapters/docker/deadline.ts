import { HoldpointError } from '../../core/errors.ts';

/** Milliseconds that a build may take. */
export const BUILD_LIMIT = 10 * 60_000;

/**
 * Does the work under a signal that aborts with the call's own, or when the time for a build is over.
 *
 * @throws HoldpointError `timeout` when the time is over; else whatever the work throws.
 */
export async function withinBuildLimit<T>(
  cancelled: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), BUILD_LIMIT);
  try {
    return await work(AbortSignal.any([cancelled, limit.signal]));
  } catch (error) {
    if (!limit.signal.aborted) throw error;
    throw new HoldpointError('timeout', `The build was stopped: it took more than ${BUILD_LIMIT / 60_000} minutes.`, {
      hint: 'Find the step that hangs or is slow; build a smaller part with target, or build it in CI.',
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}
