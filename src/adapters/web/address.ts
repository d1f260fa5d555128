import type ipaddrjs from 'ipaddr.js';

import { HoldpointError } from '../../core/errors.ts';

type Ipaddr = typeof ipaddrjs;

/** One address that a name stands for, as `dns.lookup` gives it. */
export interface Address {
  address: string;
  family: number;
}

/** `literal`: the URL has the address itself, so the policy has allowed that very address. */
export type Naming = 'literal' | 'localhost' | 'private' | 'public';

/** Where clouds hand out credentials to whoever asks from inside; 168.63.129.16 is Azure's, and looks public. */
const METADATA = [
  '169.254.0.0/16',
  '100.100.100.200/32',
  '168.63.129.16/32',
  'fe80::/10',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
];

/** Ranges that a service of one's own may be in. */
const OWN: ReadonlySet<string> = new Set(['private', 'loopback', 'carrierGradeNat', 'uniqueLocal']);

/**
 * How the host of a URL is named, which tells the addresses it may have.
 *
 * @param privateHosts exact names, or `*.suffix` for every name below it.
 */
export function namingOf(ipaddr: Ipaddr, host: string, privateHosts: readonly string[]): Naming {
  if (ipaddr.isValid(host)) return 'literal';
  if (host === 'localhost') return 'localhost';
  const listed = privateHosts.some((written) => {
    const pattern = written.toLowerCase().replace(/\.$/, '');
    return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern;
  });
  return listed ? 'private' : 'public';
}

/**
 * Every address must pass: which of them is connected to is not known before.
 *
 * @throws HoldpointError `denied`.
 */
export function checkAddresses(ipaddr: Ipaddr, host: string, naming: Naming, addresses: readonly Address[]): void {
  for (const { address } of addresses) {
    const range = ipaddr.isValid(address) ? rangeOf(ipaddr, ipaddr.parse(address)) : 'unknown';
    if (range === 'metadata')
      throw new HoldpointError('denied', `${host} is a link-local or cloud metadata address, which is never fetched.`, {
        hint: 'Metadata services hand out credentials; no policy allows them. Ask for the service itself.',
      });
    if (!mayBe(naming, range)) throw refusal(host, naming, range);
  }
}

/**
 * Whether a host is a service of one's own: `localhost`, a name that the operator lists in `web.privateHosts`, or an address
 * of a private network. Only such a host is told the trace that a request belongs to.
 *
 * @param addresses as checked: of a literal, itself.
 */
export function isOwn(ipaddr: Ipaddr, naming: Naming, addresses: readonly Address[]): boolean {
  if (naming !== 'literal') return naming !== 'public';
  return addresses.every(({ address }) => OWN.has(rangeOf(ipaddr, ipaddr.parse(address))));
}

function mayBe(naming: Naming, range: string): boolean {
  if (naming === 'localhost') return range === 'loopback';
  return range === 'public' || (naming !== 'public' && OWN.has(range));
}

function rangeOf(ipaddr: Ipaddr, address: ReturnType<Ipaddr['parse']>): string {
  const inside = (block: string) => {
    const [base, bits] = ipaddr.parseCIDR(block);
    return base.kind() === address.kind() && address.match(base, bits);
  };
  if (METADATA.some(inside)) return 'metadata';
  const range = address.range();
  if (range !== 'unicast') return range;
  // Of IPv6 only 2000::/3 is given out; the rest hides forms such as ::127.0.0.1.
  return address.kind() === 'ipv4' || inside('2000::/3') ? 'public' : 'reserved';
}

function refusal(host: string, naming: Naming, range: string): HoldpointError {
  switch (naming) {
    case 'literal':
      return new HoldpointError('denied', `${host} is no address of a service (${range}).`, {
        hint: 'Write the plain IPv4 or IPv6 address of the service, or its name.',
      });
    case 'localhost':
      return new HoldpointError('denied', `localhost does not stand for this machine here (${range}).`, {
        hint: 'The operator checks the hosts file; 127.0.0.1 may be written instead where the policy allows it.',
      });
    case 'private':
    case 'public':
      return new HoldpointError('denied', `${host} has an address that is not public (${range}).`, {
        hint: `The operator lists ${host} in web.privateHosts if it is a service of yours; nothing was sent to it.`,
      });
  }
}
