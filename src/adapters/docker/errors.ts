import { HoldpointError } from '../../core/errors.ts';

/** An error of the vendor's client in our words; the Engine's own are quoted as the data they are. */
export function engineError(host: string, error: unknown, signal: AbortSignal): HoldpointError {
  if (error instanceof HoldpointError) return error;
  if (signal.aborted) return new HoldpointError('timeout', 'The call was cancelled.', { cause: error });
  const status =
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
      ? error.statusCode
      : undefined;
  if (status === undefined) {
    return new HoldpointError('unavailable', `The Docker Engine at ${host} cannot be reached.`, {
      hint: 'Check that it runs and that this user may open its socket (`docker info`); the operator sets another with DOCKER_HOST.',
      cause: error,
    });
  }
  const said = quoted(error);
  if (status === 400) {
    return new HoldpointError('invalid_input', `The Docker Engine rejects the request. It said: ${said}`, {
      hint: 'Correct what it names.',
      cause: error,
    });
  }
  return new HoldpointError('upstream', `The Docker Engine answered with HTTP ${status}. It said: ${said}`, {
    hint: 'Correct what it names, or look at the Engine’s own log.',
    cause: error,
  });
}

/** What the Engine said, as data: bounded, plain, in quotes. */
export function quoted(said: unknown): string {
  const text =
    said instanceof Error
      ? said.message.replace(/^\(HTTP code \d+\) [^-]*- /, '')
      : typeof said === 'string'
        ? said
        : '';
  return JSON.stringify(
    text
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
      .trim()
      .slice(0, 600),
  );
}
