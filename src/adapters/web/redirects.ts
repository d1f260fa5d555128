import { readUrl } from './url.ts';

/** Where a redirect leads: an address to ask next, or an origin that is not followed. */
export type Redirect = { next: URL } | { to: string };

/**
 * Followed is what stays with the same host and port, or goes from http to https of the same host on the usual ports: the
 * policy has allowed that host and no other, and nobody gets to see the path and query but the origin they were written for.
 */
export function redirectFrom(url: URL, location: string): Redirect {
  if (!URL.canParse(location, url.href)) return { to: 'no valid address' };
  const target = new URL(location, url);
  target.hash = '';
  const next = readable(target.href);
  const upgrade = url.protocol === 'http:' && url.port === '' && next?.protocol === 'https:' && next.port === '';
  if (next && next.host === url.host && (next.protocol === url.protocol || upgrade)) return { next };
  const to = target.origin === 'null' ? target.protocol : target.origin;
  return { to: to.slice(0, 200) };
}

/** Undefined where it is none that an agent might have written: too long, with user info. */
function readable(href: string): URL | undefined {
  try {
    return readUrl(href);
  } catch {
    return undefined;
  }
}
