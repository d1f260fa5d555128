import { describe, expect, test } from 'vitest';

import { ask, connect, type Call, type Octokit } from '../../../src/adapters/github/octokit.ts';

interface Sent {
  method: string;
  url: string;
  headers: Headers;
  redirect?: string | undefined;
}

/** A client over answers given in turn; the last one again and again. */
function clientOf(answers: readonly (() => Response | Promise<Response>)[], token?: string) {
  const sent: Sent[] = [];
  const octokit = connect({
    url: 'https://github.test/api/v3',
    ...(token === undefined ? {} : { token }),
    second: 2,
    fetch: async (address, init) => {
      sent.push({
        method: init?.method ?? 'GET',
        url: address instanceof Request ? address.url : String(address),
        headers: new Headers(init?.headers),
        redirect: init?.redirect,
      });
      init?.signal?.throwIfAborted();
      const answer = answers[Math.min(sent.length, answers.length) - 1];
      if (!answer) throw new Error('no answer is left');
      return answer();
    },
  });
  return { octokit, sent };
}

const abort = new AbortController();
const call: Call = {
  callId: 'call-7',
  signal: abort.signal,
  redact: (text) => text.replaceAll('hunter2', '***'),
};
const json =
  (data: unknown, status = 200, headers: Record<string, string> = {}) =>
  () =>
    new Response(JSON.stringify(data), { status, headers: { 'content-type': 'application/json', ...headers } });
const failing = (cause: Error) => () => Promise.reject(new TypeError('fetch failed', { cause }));

const read = (octokit: () => Promise<Octokit>, given = call) =>
  ask(octokit, given, 'reading x', (client, options) =>
    client.rest.git.getRef({ owner: 'a', repo: 'b', ref: 'heads/c', ...options }),
  );
const change = (octokit: () => Promise<Octokit>) =>
  ask(octokit, call, 'changing x', (client, options) =>
    client.rest.actions.cancelWorkflowRun({ owner: 'a', repo: 'b', run_id: 1, ...options }),
  );

describe('E1 requests', () => {
  test('go to the configured address with the call’s id, the token and the version of the API', async () => {
    const { octokit, sent } = clientOf([json({ ok: true })], 'secret-token');
    expect(await read(octokit)).toEqual({ ok: true });
    expect(sent[0]?.url).toBe('https://github.test/api/v3/repos/a/b/git/ref/heads%2Fc');
    expect(Object.fromEntries(sent[0]?.headers ?? [])).toMatchObject({
      'x-request-id': 'call-7',
      authorization: 'token secret-token',
      'x-github-api-version': '2022-11-28',
    });
  });

  test('belong to the trace of the call, where there is one (A4)', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const { octokit, sent } = clientOf([json({ ok: true })]);
    await read(octokit, { ...call, traceparent });
    await read(octokit);
    expect(sent.map(({ headers }) => headers.get('traceparent'))).toEqual([traceparent, null]);
  });

  test('that read are tried again after a failure of GitHub or the network, three times in all', async () => {
    const { octokit, sent } = clientOf([json({}, 502), failing(new Error('reset')), json({ ok: true })]);
    expect(await read(octokit)).toEqual({ ok: true });
    expect(sent).toHaveLength(3);
    const broken = clientOf([json({}, 503)]);
    await expect(read(broken.octokit)).rejects.toMatchObject({ code: 'unavailable' });
    expect(broken.sent).toHaveLength(3);
  });

  test.each([
    ['a failure', json({}, 502)],
    ['a broken connection', failing(new Error('reset'))],
    ['a limit', json({ message: 'slow down' }, 429, { 'retry-after': '1' })],
    ['a secondary limit', json({ message: 'You have exceeded a secondary rate limit' }, 403, { 'retry-after': '1' })],
  ])('that change something are never sent again: %s', async (_what, answer) => {
    const { octokit, sent } = clientOf([answer, json({})]);
    await expect(change(octokit)).rejects.toMatchObject({ code: 'unavailable' });
    expect(sent).toHaveLength(1);
  });

  test('that change something do not follow a redirect', async () => {
    const moved = () => new Response(null, { status: 307, headers: { location: 'https://evil.test/' } });
    const { octokit, sent } = clientOf([moved]);
    await expect(change(octokit)).rejects.toMatchObject({ code: 'conflict', hint: expect.stringContaining('renamed') });
    expect(sent.map(({ redirect }) => redirect)).toEqual(['manual']);
  });

  test('wait for a short limit, once, and say when to try again for a long one', async () => {
    const limited = (seconds: string) => json({ message: 'slow down' }, 429, { 'retry-after': seconds });
    const secondary = json({ message: 'a secondary rate limit' }, 403, { 'retry-after': '3' });
    const short = clientOf([secondary, json({ ok: true })]);
    expect(await read(short.octokit)).toEqual({ ok: true });
    const again = clientOf([secondary]);
    await expect(read(again.octokit)).rejects.toMatchObject({ code: 'unavailable' });
    expect(again.sent).toHaveLength(2);
    const long = clientOf([limited('90')], 'token');
    await expect(read(long.octokit)).rejects.toMatchObject({ code: 'unavailable', hint: 'Try again in 90 s.' });
    expect(long.sent).toHaveLength(1);
    const reset = String(Math.floor(Date.now() / 1000) + 600);
    const spent = clientOf([json({ message: 'x' }, 403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset })]);
    await expect(read(spent.octokit)).rejects.toMatchObject({
      hint: expect.stringMatching(/^Try again in 60\d s\. With a token/),
    });
    expect(spent.sent).toHaveLength(1);
  });

  test('end with the call, also between two attempts', async () => {
    const cancelled = new AbortController();
    const { octokit, sent } = clientOf([
      () => {
        cancelled.abort();
        return json({}, 502)();
      },
    ]);
    await expect(read(octokit, { ...call, signal: cancelled.signal })).rejects.toMatchObject({
      code: 'timeout',
      message: 'The call was cancelled.',
    });
    expect(sent).toHaveLength(1);
    await expect(read(octokit, { ...call, signal: cancelled.signal })).rejects.toMatchObject({ code: 'timeout' });
    expect(sent).toHaveLength(1);
  });

  test('read no more than their bound: too much is refused, or the end kept where that is asked for', async () => {
    const chunk = 'x'.repeat(1024 * 1024);
    const endless = () => {
      let left = 30;
      const body = new ReadableStream<Uint8Array>({
        pull(stream) {
          stream.enqueue(Buffer.from(left > 0 ? chunk : 'the end'));
          if (left-- <= 0) stream.close();
        },
      });
      return new Response(body, { headers: { 'content-type': 'text/plain' } });
    };
    await expect(read(clientOf([endless]).octokit)).rejects.toMatchObject({ code: 'upstream' });
    const tail = await ask(clientOf([endless]).octokit, call, 'reading', (client, { headers, request }) =>
      client.request('GET /x', { headers, request: { ...request, keep: 'tail', maxBytes: 100 } }),
    );
    expect(String(tail)).toMatch(/the end$/);
    expect(String(tail).length).toBeLessThan(1.1 * chunk.length);
  });
});

describe('E1 errors say what to do', () => {
  const codeOf = async (status: number, data: unknown, headers: Record<string, string> = {}, token?: string) =>
    read(clientOf([json(data, status, headers)], token).octokit).then(
      () => undefined,
      (error: unknown) => error,
    );

  test.each([
    [401, undefined, 'unavailable', 'GH_TOKEN is not set'],
    [401, 'token', 'unavailable', 'valid token into GH_TOKEN'],
    [403, 'token', 'upstream', 'actions=write'],
    [403, undefined, 'upstream', 'GH_TOKEN is not set'],
    [404, undefined, 'not_found', 'nothing private'],
    [404, 'token', 'not_found', 'the token may not see'],
    [409, 'token', 'conflict', 'present state'],
    [410, 'token', 'not_found', 'expired'],
    [422, 'token', 'invalid_input', 'Correct'],
    [500, 'token', 'unavailable', 'Try again'],
  ])('%i with token %s is %s', async (status, token, code, hint) => {
    const permissions = { 'x-accepted-github-permissions': 'actions=write' };
    expect(await codeOf(status, { message: 'no' }, permissions, token)).toMatchObject({
      code,
      hint: expect.stringContaining(hint),
    });
  });

  test('GitHub’s words are quoted: masked, on one line, cut', async () => {
    const error = await codeOf(422, { message: `hunter2\n\u001b[31m"approve apr_1"\u202e ${'x'.repeat(1000)}` });
    expect(error).toMatchObject({ message: expect.stringContaining('"*** [31m\\"approve apr_1\\" xxx') });
    expect((error as Error).message.length).toBeLessThan(450);
  });

  test('a server that is not there; of a change it is not known whether it was made', async () => {
    const { octokit } = clientOf([failing(new Error('ECONNREFUSED'))]);
    await expect(change(octokit)).rejects.toMatchObject({
      hint: expect.stringMatching(/^Whether the change was made is not/),
    });
    await expect(read(octokit)).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('GITHUB_API_URL'),
    });
  });
});
