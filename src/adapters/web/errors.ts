import { HoldpointError } from '../../core/errors.ts';

const CERTIFICATES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired: clients refuse the service until it is renewed',
  CERT_NOT_YET_VALID: 'is not valid yet: its dates, or the clock here, are wrong',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is self-signed: clients without an exception refuse the service',
  SELF_SIGNED_CERT_IN_CHAIN: 'is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is signed by an authority that is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'comes without its intermediate certificates, or from an unknown authority',
  ERR_TLS_CERT_ALTNAME_INVALID: 'is for another name: clients refuse the service under this one',
  CERT_REVOKED: 'is revoked: clients refuse the service until it is replaced',
};

/** The failure to reach `url`, in words of what it means for the service; the vendor's text stays the cause. */
export function unreachable(url: URL, cause: unknown): HoldpointError {
  const code = codeOf(cause);
  const host = url.host;
  const fail = (message: string, hint: string, kind: 'unavailable' | 'timeout' = 'unavailable') =>
    new HoldpointError(kind, message, { hint, cause });
  const certificate = CERTIFICATES[code];
  if (certificate !== undefined)
    return fail(`The certificate of ${host} ${certificate} (${code}).`, 'The service runs TLS; fix its certificate.');
  switch (code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return fail(`${host} has no address in DNS.`, 'Check the spelling; else its DNS record is missing.');
    case 'EAI_AGAIN':
      return fail(
        `DNS does not answer for ${host}.`,
        'This says nothing of the service: try again, then check DNS here.',
      );
    case 'ECONNREFUSED':
      return fail(
        `${host} refuses the connection.`,
        'Nothing listens on this port: the service is down, or the port is wrong.',
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return fail(`There is no way to ${host} from here.`, 'The machine is off, or the network or a VPN is missing.');
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return fail(`${host} does not take the connection.`, 'It is down, or a firewall drops packets.', 'timeout');
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return fail(
        `${host} closed the connection without a whole answer.`,
        'The service, or what is in front of it, crashed or restarts; or it speaks another protocol on this port.',
      );
    case 'UND_ERR_HEADERS_OVERFLOW':
      return fail(`${host} sends more than 16 KB of headers.`, 'Most clients and proxies refuse that as well.');
    default:
      if (/^HPE_|^UND_ERR_/.test(code))
        return fail(
          `${host} does not answer in HTTP (${code}).`,
          'Try https for http; else the port is of another protocol.',
        );
      if (/^ERR_SSL_|^ERR_TLS_|^EPROTO$/.test(code))
        return fail(`TLS with ${host} fails (${code}).`, 'Its port may speak plain http, or only outdated TLS.');
      return fail(`${host} cannot be reached${code === '' ? '' : ` (${code})`}.`, 'Try again; then check the service.');
  }
}

/** The time is over: before any answer, or with an answer that does not end. */
export function tooSlow(url: URL, limit: number, status: number | undefined): HoldpointError {
  const seconds = `${limit / 1000} s`;
  return status === undefined
    ? new HoldpointError('timeout', `${url.host} did not answer within ${seconds}.`, {
        hint: 'It is down, overloaded, or a firewall drops packets.',
      })
    : new HoldpointError('timeout', `${url.host} answered ${status}, but its body did not end within ${seconds}.`, {
        hint: 'It is up and slow, or this is an endless stream; method HEAD asks for the status alone.',
      });
}

/** undici's parser has codes for some of its errors alone. Errors of several addresses come as one with the code of the first. */
function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return '';
  if ('code' in cause && typeof cause.code === 'string') return /^\w{1,60}$/.test(cause.code) ? cause.code : '';
  if (cause.name === 'HTTPParserError') return 'HPE_INVALID';
  if (cause instanceof AggregateError) return codeOf(cause.errors[0]);
  return codeOf(cause.cause);
}
