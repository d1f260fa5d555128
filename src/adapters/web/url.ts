import { HoldpointError } from '../../core/errors.ts';

const MAX_URL = 2000;

/**
 * An address as it will be asked for: WHATWG-normalised, so that every spelling of a host (`LOCALHOST.`, `0x7f.1`, `2130706433`)
 * is decided by the policy under the one name that is connected to.
 *
 * @throws HoldpointError `invalid_input`, or `denied` for names of cloud metadata services.
 */
export function readUrl(written: string): URL {
  if (written.length > MAX_URL) throw refuse(`The URL is longer than ${MAX_URL} characters.`, 'Shorten its query.');
  // URL would drop some of them silently.
  if (/[\s\p{C}]/u.test(written)) throw refuse('The URL has spaces or invisible characters.', 'Percent-encode them.');
  if (!URL.canParse(written)) throw refuse('This is no URL.', 'Write http://host/path or https://host/path.');
  const url = new URL(written);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refuse('Only http and https are fetched.', 'Write http://host/path or https://host/path.');
  if (url.username !== '' || url.password !== '')
    throw refuse('The URL has user info.', 'Leave out what stands before the @; nothing is signed in.');
  if (written.includes('#'))
    throw refuse('The URL has a fragment.', 'Leave out # and what follows; servers never see it.');
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1);
  if (url.href.length > MAX_URL) throw refuse(`The URL is longer than ${MAX_URL} characters.`, 'Shorten its query.');
  const host = hostOf(url);
  if (host === '' || host.endsWith('.') || host.startsWith('.') || host.includes('..'))
    throw refuse('The host has an empty part.', 'Write the host without doubled or leading dots.');
  if (host === 'metadata.google.internal')
    throw new HoldpointError('denied', 'Cloud metadata services are never fetched.', {
      hint: 'They hand out credentials; no policy allows them. Ask for the service itself.',
    });
  return url;
}

/** The host as the policy knows it: no port, no brackets around IPv6. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

function refuse(message: string, hint: string): HoldpointError {
  return new HoldpointError('invalid_input', message, { hint });
}
