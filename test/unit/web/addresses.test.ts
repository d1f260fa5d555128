import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';

import { checkAddresses, isOwn, namingOf } from '../../../src/adapters/web/address.ts';
import { createWeb } from '../../../src/adapters/web/client.ts';
import { hostOf, readUrl } from '../../../src/adapters/web/port.ts';
import type { HoldpointError } from '../../../src/core/errors.ts';
import { CALL, codeOf, newLookup, newWebBench, startAnswer } from './kit.ts';

/** Whether a name that stands for these addresses may be connected to; nothing is sent. */
function outcome(addresses: string[], host = 'app.test', privateHosts: string[] = []): string {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  try {
    checkAddresses(ipaddr, host, namingOf(ipaddr, host, privateHosts), found);
    return 'passes';
  } catch (error) {
    return (error as HoldpointError).code;
  }
}

const PRIVATE = [
  '10.1.2.3', '172.16.0.1', '192.168.1.1', '127.0.0.1', '127.8.8.8', '100.64.0.1', '::1', 'fc00::1', 'fd12:3456::1',
]; // prettier-ignore
const NEVER = [
  '0.0.0.0', '0.1.2.3', '224.0.0.1', '255.255.255.255', '240.0.0.1', '198.18.0.1', '192.0.2.1', '::', 'ff02::1',
  '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:8.8.8.8', '::127.0.0.1', '2002:7f00:1::', '64:ff9b::7f00:1',
  '64:ff9b:1::a00:1', '2001:0:1::1', '::ffff:0:127.0.0.1', 'fec0::1', '2001:db8::1', '4000::1',
]; // prettier-ignore
const METADATA = [
  '169.254.169.254', '169.254.0.1', '100.100.100.200', '168.63.129.16', 'fe80::1', 'febf::1', 'fd00:ec2::254',
  'fd20:ce::254',
]; // prettier-ignore

describe('A4 web-fetch: whom a trace is told to', () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const own = (host: string, addresses: string[], privateHosts: string[] = []) =>
    isOwn(
      ipaddr,
      namingOf(ipaddr, host, privateHosts),
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

  test('services of one’s own: this machine, listed names, addresses of private networks', () => {
    expect(own('localhost', ['127.0.0.1', '::1'])).toBe(true);
    expect(own('app.test', ['10.0.0.1'], ['app.test'])).toBe(true);
    expect(own('a.b.test', ['8.8.8.8'], ['*.b.test'])).toBe(true);
    for (const address of PRIVATE) expect(own(address, [address]), address).toBe(true);
  });

  test('nobody else', () => {
    expect(own('app.test', ['8.8.8.8'], ['other.test'])).toBe(false);
    for (const address of ['8.8.8.8', '2606:4700::1']) expect(own(address, [address]), address).toBe(false);
  });

  test('the header goes to a service of one’s own, and is not made up where there is no trace', async () => {
    const service = await startAnswer('up');
    const request = { url: `http://127.0.0.1:${service.port}/`, method: 'GET' } as const;
    await createWeb().fetch(request, { ...CALL, traceparent });
    await createWeb().fetch(request, CALL);
    expect(service.seen.map(({ headers }) => headers['traceparent'])).toEqual([traceparent, undefined]);
  });
});

describe('C5 web-fetch: addresses of names', () => {
  test.each([...PRIVATE, ...NEVER, ...METADATA, 'nonsense'])('a name that stands for %s is refused', (address) => {
    expect(outcome([address])).toBe('denied');
  });

  test.each(PRIVATE)('%s is fetched under a name that the operator lists', (address) => {
    expect(outcome([address], 'app.test', ['app.test'])).toBe('passes');
    expect(outcome([address], 'a.b.test', ['*.B.test.'])).toBe('passes');
    expect(outcome([address], 'b.test', ['*.b.test'])).toBe('denied');
    expect(outcome([address], 'ab.test', ['*.b.test', 'b.test'])).toBe('denied');
  });

  test.each([...NEVER, ...METADATA])('%s is refused even then', (address) => {
    expect(outcome([address], 'app.test', ['app.test'])).toBe('denied');
  });

  test.each([
    [['8.8.8.8', '10.0.0.1']],
    [['10.0.0.1', '8.8.8.8']],
    [['2606:4700::1', '::1']],
    [['8.8.8.8', '169.254.169.254']],
  ])('of mixed answers %s none is connected to', (addresses) => {
    expect(outcome(addresses)).toBe('denied');
  });

  test('public addresses pass the check', () => {
    for (const address of ['192.0.1.1', '2606:4700::1', '100.63.255.255', '172.32.0.1'])
      expect(outcome([address]), address).toBe('passes');
  });

  test('localhost may stand for loopback alone', () => {
    expect(outcome(['127.0.0.1', '::1'], 'localhost')).toBe('passes');
    for (const address of ['10.0.0.1', '8.8.8.8', '169.254.169.254'])
      expect(outcome([address], 'localhost'), address).toBe('denied');
  });

  test('a name is resolved once: what the resolver would say next has no effect', async () => {
    const service = await startAnswer('ok');
    const { lookup, asked } = newLookup(['127.0.0.1'], ['169.254.169.254']);
    const web = createWeb({ lookup, privateHosts: ['app.test'] });
    const request = { url: `http://app.test:${service.port}/`, method: 'GET' } as const;
    expect(await web.fetch(request, CALL)).toMatchObject({ ok: true, body: 'ok' });
    expect(asked).toEqual(['app.test']);
    expect(service.connections()).toBe(1);
  });

  test.each([[['127.0.0.1']], [['8.8.8.8', '127.0.0.1']], [['::ffff:127.0.0.1']]])(
    'a public name that turns to %s reaches nothing on this machine',
    async (addresses) => {
      const service = await startAnswer('secret');
      const bench = await newWebBench(newLookup(addresses));
      const error = await bench.refusal({ url: `http://app.test:${service.port}/` });
      expect(error).toMatchObject({ code: 'denied', hint: expect.stringContaining('web.privateHosts') });
      expect(service.connections()).toBe(0);
    },
  );

  test('the metadata name is refused in every spelling, whatever policy and settings say', async () => {
    const { lookup, asked } = newLookup(['127.0.0.1']);
    const bench = await newWebBench({ lookup, privateHosts: ['metadata.google.internal'] });
    for (const host of ['metadata.google.internal', 'METADATA.google.internal.', 'metadata%2Egoogle.internal'])
      expect(await bench.refusal({ url: `http://${host}/computeMetadata/v1/` }), host).toMatchObject({
        code: 'denied',
        reason: 'Cloud metadata services are never fetched.',
      });
    expect(asked).toEqual([]);
  });

  test.each(['http://169.254.169.254/', 'http://0/', 'http://[::]/', 'http://[fe80::1]/', 'http://[::ffff:7f00:1]/'])(
    'the literal %s is refused by the adapter itself',
    async (url) => {
      expect(await codeOf(createWeb().fetch({ url, method: 'GET' }, CALL))).toBe('denied');
    },
  );
});

describe('C5 web-fetch: spellings', () => {
  /** One part of an IPv4 address in any base that is understood. */
  const part = (value: number) =>
    fc.constantFrom(String(value), `0${value.toString(8)}`, `0x${value.toString(16)}`, `0X00${value.toString(16)}`);
  const loopback = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).chain(([b, c, d]) => {
    const low = (b << 16) | (c << 8) | d;
    return fc.tuple(
      fc.oneof(
        fc.tuple(part(127), part(b), part(c), part(d)).map((parts) => parts.join('.')),
        fc.tuple(part(127), part(b), part((c << 8) | d)).map((parts) => parts.join('.')),
        fc.tuple(part(127), part(low)).map((parts) => parts.join('.')),
        part(127 * 2 ** 24 + low),
      ),
      fc.constantFrom('', '.'),
      fc.constant(`127.${b}.${c}.${d}`),
    );
  });

  test('every spelling of a loopback address is decided as that address', () => {
    fc.assert(
      fc.property(loopback, ([written, dot, address]) => {
        expect(hostOf(readUrl(`http://${written}${dot}:8080/`))).toBe(address);
      }),
    );
  });

  test('none leads to a listening service unless the policy allows its plain name', async () => {
    const service = await startAnswer('secret');
    const bench = await newWebBench();
    const mapped = fc.constantFrom(
      '[::ffff:127.0.0.1]',
      '[::FFFF:7F00:1]',
      '[0:0:0:0:0:ffff:7f00:0001]',
      '[::127.0.0.1]',
    );
    const wild = fc.constantFrom('0', '0.0.0.0', '00.0.0.0.', '[::]', '[::1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]');
    const literal = loopback.map(([written, dot]) => written + dot);
    await fc.assert(
      fc.asyncProperty(fc.oneof(literal, mapped, wild), async (host) => {
        const before = service.connections();
        const url = `http://${host}:${service.port}/`;
        const { envelope } = await bench.call('web-fetch', { url });
        const allowed = new URL(url).hostname === '127.0.0.1';
        expect(envelope.status === 'done').toBe(allowed);
        expect(service.connections() - before).toBe(allowed ? 1 : 0);
      }),
    );
    expect(await bench.result({ url: `http://0x7f.1.:${service.port}` })).toMatchObject({ ok: true });
  });
});
