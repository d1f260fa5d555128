import { refuse } from './arguments.ts';
import type { Selector } from './target.ts';

const SHAPE =
  /^(?<scheme>https?):\/\/(?<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[::1\])(?<port>:\d{1,5})?(?:\/[\w.~%/+,=:@!-]*)?(?:\?[\w.~%/+,=&:@!-]*)?$/;
const HERE = ['localhost', '127.0.0.1', '[::1]'];

/**
 * An address that a program fetches by itself, and so resolves by itself: an approved name could lead to any address by then.
 * It is therefore https, where a certificate must prove the name, on the usual ports, or this machine's own.
 *
 * @returns the address normalised, its host as the policy knows it, and the place that it tells.
 * @throws HoldpointError `denied` for any other, and for hosts with a second spelling (`0x7f.1`), user info and fragments.
 */
export function readAddress(written: string): { href: string; host: string; at: Partial<Record<Selector, string>> } {
  const { scheme, host = '', port } = SHAPE.exec(written)?.groups ?? {};
  const url = scheme !== undefined && URL.canParse(written) ? new URL(written) : undefined;
  if (url?.hostname !== host)
    throw refuse(
      `${JSON.stringify(written.slice(0, 80))} is no address that is fetched here.`,
      'Write https://host/path in plain lower-case letters, or http://localhost:PORT/path.',
    );
  if (!HERE.includes(host) && scheme === 'http')
    throw refuse(
      'Only https is fetched here: its certificate proves which host answered.',
      'Use the tool web-fetch for http.',
    );
  if (!HERE.includes(host) && port !== undefined && port !== ':443' && port !== ':8443')
    throw refuse(`Port ${port.slice(1)} of another host is not fetched here.`, 'Use the tool web-fetch.');
  const name = host.replace(/^\[|\]$/g, '');
  return { href: url.href, host: name, at: { host: name } };
}
