import { HoldpointError } from '../../core/errors.ts';
import { quoted } from './quoted.ts';
import type { ApiRequest } from './api.ts';

/** An API server's refusal, in our words; its own are quoted as the data they are. */
export function refusal(request: ApiRequest, code: number, body: unknown): HoldpointError {
  const said = quoted(statusMessage(body));
  const what = `${request.method} ${request.path}`;
  const at = `in context ${request.context}`;
  switch (code) {
    case 401:
      return new HoldpointError('upstream', `The cluster ${at} does not accept Holdpoint's credentials.`, {
        hint: 'The operator renews the credentials in the kubeconfig and restarts Holdpoint.',
      });
    case 403:
      return new HoldpointError('upstream', `The cluster ${at} does not permit ${what}. It said: ${said}`, {
        hint: `Ask a cluster administrator for the right ${request.method === 'GET' ? 'to read' : 'to patch'} this resource, or use another context.`,
      });
    case 404:
      return new HoldpointError('not_found', `There is nothing at ${request.path} ${at}.`, {
        hint: 'List the kind without a name to see what is there; check namespace and context.',
      });
    case 409:
      return new HoldpointError('stale', `The object at ${request.path} ${at} changed while it was being written.`, {
        hint: 'Look at it again, then repeat the call.',
      });
    case 400:
    case 422:
      return new HoldpointError('invalid_input', `The cluster ${at} rejects ${what} as invalid. It said: ${said}`, {
        hint: 'Correct what it names, then repeat the call.',
      });
    case 410:
      return new HoldpointError('stale', 'The list changed too much to be continued.', {
        hint: 'Start again without `continue`.',
      });
    case 429:
    case 503:
    case 504:
      return new HoldpointError('unavailable', `The cluster ${at} is overloaded or not ready (HTTP ${code}).`, {
        hint: 'Try again in a minute.',
      });
    default:
      return new HoldpointError('upstream', `The cluster ${at} answered ${what} with HTTP ${code}. It said: ${said}`, {
        hint: 'Try again; when it persists, the cluster needs its administrator.',
      });
  }
}

/** A request that got no answer. `timedOut` milliseconds where our own limit ended it. */
export function unanswered(request: ApiRequest, cause: unknown, timedOut?: number): HoldpointError {
  if (timedOut !== undefined) {
    return new HoldpointError(
      'timeout',
      `The cluster in context ${request.context} did not answer within ${timedOut / 1000} s.`,
      {
        hint: 'Check that the cluster is up and reachable from this machine; then try again.',
        cause,
      },
    );
  }
  return new HoldpointError('unavailable', `The cluster in context ${request.context} cannot be reached.`, {
    hint: 'Check that it is up (a local cluster may be stopped), that a VPN is on, and that the kubeconfig is current.',
    cause,
  });
}

function statusMessage(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'message' in body && typeof body.message === 'string')
    return body.message;
  return typeof body === 'string' && body !== '' ? body : '(nothing)';
}
