import { HoldpointError } from '../../core/errors.ts';
import type { Call } from './octokit.ts';
import { clean } from './text.ts';

const MAX_SAID = 300;

interface Refusal {
  status: number;
  said: string;
  headers: Readonly<Record<string, string | number | undefined>>;
  /** Whether the request carried a token. */
  signed: boolean;
}

/**
 * Any error of a request to GitHub in our words; GitHub's own are quoted as the data they are.
 *
 * @param doing what the request was for: `reading workflow ci.yml of acme/shop`.
 */
export function githubError(error: unknown, doing: string, call?: Pick<Call, 'signal' | 'redact'>): HoldpointError {
  if (error instanceof HoldpointError) return error;
  if (call?.signal.aborted === true) return new HoldpointError('timeout', 'The call was cancelled.', { cause: error });
  const refusal = refusalOf(error);
  if (!refusal)
    return new HoldpointError('unavailable', `GitHub cannot be reached (${doing}).`, {
      hint: `${isChange(error) ? 'Whether the change was made is not known: look before repeating it. ' : ''}Check the network and the address in github.url (GITHUB_API_URL); https://www.githubstatus.com says whether GitHub is up.`,
      cause: error,
    });
  const { code, message, hint } = inWords(refusal, doing, call?.redact ?? ((text) => text));
  return new HoldpointError(code, message, { hint, cause: error });
}

function inWords(refusal: Refusal, doing: string, redact: (text: string) => string) {
  const { status, signed } = refusal;
  const said = `It said: ${JSON.stringify(clean(redact(refusal.said), MAX_SAID))}`;
  const wait = secondsToWait(refusal);
  if (wait !== undefined)
    return {
      code: 'unavailable' as const,
      message: `GitHub’s rate limit is reached (${doing}).`,
      hint: `Try again in ${wait} s.${signed ? '' : ' With a token (GH_TOKEN) the limit is far higher.'}`,
    };
  if (status === 401)
    return {
      code: 'unavailable' as const,
      message: `GitHub does not accept Holdpoint’s credentials (${doing}).`,
      hint: signed
        ? 'The operator puts a valid token into GH_TOKEN and restarts Holdpoint.'
        : 'GH_TOKEN is not set: the operator sets it and restarts Holdpoint.',
    };
  if (status === 403) {
    const wanted = refusal.headers['x-accepted-github-permissions'];
    const permission = typeof wanted === 'string' && /^[\w=,; ]{1,200}$/.test(wanted) ? ` (it needs ${wanted})` : '';
    return {
      code: 'upstream' as const,
      message: `GitHub does not permit ${doing}. ${said}`,
      hint: signed
        ? `The operator gives the token this permission${permission}, or authorises it for the organisation.`
        : 'GH_TOKEN is not set: the operator sets it and restarts Holdpoint.',
    };
  }
  if (status === 404)
    return {
      code: 'not_found' as const,
      message: `GitHub knows nothing of that (${doing}).`,
      hint: signed
        ? 'Check the names; what the token may not see looks the same as what is not there.'
        : 'Check the names; GH_TOKEN is not set, so nothing private can be seen.',
    };
  if (status === 410)
    return {
      code: 'not_found' as const,
      message: `GitHub no longer has that (${doing}).`,
      hint: 'It has expired: logs are kept for 90 days unless the repository says otherwise.',
    };
  if (status === 409)
    return {
      code: 'conflict' as const,
      message: `GitHub cannot do that as things are (${doing}). ${said}`,
      hint: 'Look at the present state, then repeat the call if it still makes sense.',
    };
  if (status === 400 || status === 422 || status === 405)
    return {
      code: 'invalid_input' as const,
      message: `GitHub rejects the request (${doing}). ${said}`,
      hint: 'Correct what it names, then repeat the call.',
    };
  if (status >= 500)
    return {
      code: 'unavailable' as const,
      message: `GitHub failed with HTTP ${status} (${doing}).`,
      hint: 'Try again in a minute, after looking whether a change was made; see https://www.githubstatus.com.',
    };
  return {
    code: 'upstream' as const,
    message: `GitHub answered with HTTP ${status} (${doing}). ${said}`,
    hint: 'Correct what it names.',
  };
}

/** Seconds until the limit that refused the request lets go; undefined where none did. */
function secondsToWait({ status, said, headers }: Refusal): number | undefined {
  if (status !== 429 && status !== 403) return undefined;
  const after = Number(headers['retry-after']);
  if (after > 0) return Math.ceil(after);
  if (String(headers['x-ratelimit-remaining']) === '0')
    return Math.max(1, Math.ceil(Number(headers['x-ratelimit-reset'] ?? 0) - Date.now() / 1000) + 1);
  return status === 429 || /\bsecondary rate\b/i.test(said) ? 60 : undefined;
}

/** An HTTP answer's refusal; undefined for an error that came without an answer. */
function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || !('response' in error) || !('status' in error)) return undefined;
  const { response, status } = error;
  if (typeof response !== 'object' || response === null || typeof status !== 'number') return undefined;
  const request = 'request' in error ? error.request : undefined;
  return {
    status,
    said: error.message.replace(/ - https:\/\/docs\.github\.com\S*$/, ''),
    headers: (field(response, 'headers') ?? {}) as Refusal['headers'],
    signed: field(field(request, 'headers'), 'authorization') !== undefined,
  };
}

function isChange(error: unknown): boolean {
  const method = field(field(error, 'request'), 'method');
  return typeof method === 'string' && method !== 'GET' && method !== 'HEAD';
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
