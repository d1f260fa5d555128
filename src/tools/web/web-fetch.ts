import { z } from 'zod';

import { hostOf, readUrl, type WebReply } from '../../adapters/web/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { Target } from '../../core/target.ts';
import { defineTool } from '../../core/tool.ts';

const MAX_EXPECTED = 200;

export default defineTool({
  name: 'web-fetch',
  title: 'Fetch a URL',
  description: 'Check a service over HTTP: status, time, certificate, start of the body.',
  keywords: ['http', 'https', 'url', 'health', 'endpoint', 'curl', 'website', 'tls', 'ping', 'up', 'down'],
  effect: 'read',
  needs: ['web'],
  input: z.strictObject({
    url: z.string(),
    method: z.enum(['GET', 'HEAD']).optional(),
    expect: z
      .string()
      .refine((text) => text !== '' && text.length <= MAX_EXPECTED, `1 to ${MAX_EXPECTED} characters.`)
      .optional()
      .describe('text the body must have'),
  }),
  output: z.strictObject({
    status: z.number(),
    ok: z.boolean(),
    ms: z.number(),
    followed: z.number().optional(),
    type: z.string().optional(),
    bytes: z.number().optional(),
    cut: z.literal(true).optional(),
    server: z.string().optional(),
    retryAfter: z.string().optional(),
    redirect: z.strictObject({ status: z.number(), to: z.string() }).optional(),
    tls: z.strictObject({ daysLeft: z.number() }).optional(),
    body: z.string().optional(),
    found: z.boolean().optional(),
  }),

  targets({ url, method, expect }) {
    if (method === 'HEAD' && expect !== undefined)
      throw new HoldpointError('invalid_input', 'HEAD has no body to expect text in.', { hint: 'Leave out method.' });
    return [hostTarget(readUrl(url))];
  },

  async plan({ url: written, method = 'GET', expect }) {
    const url = readUrl(written);
    const does = `${method} ${url.href}`;
    return {
      effect: 'read',
      targets: [hostTarget(url)],
      preconditions: [],
      steps: [{ id: 'fetch', does, call: { method, url: url.href } }],
      preview: { summary: does },
      data: { url: url.href, method, ...(expect === undefined ? {} : { expect }) },
    };
  },

  run: async ({ data }, call) => call.web.fetch(data, call),

  render: replyText,
});

function hostTarget(url: URL): Target {
  return { kind: 'host', id: url.host, effect: 'read', at: { host: hostOf(url) } };
}

function replyText(reply: WebReply): string {
  const { status, ok, ms, followed, type, bytes, cut, server, retryAfter, redirect, tls, body, found } = reply;
  const facts = [
    `${ok ? 'ok' : 'not ok'}: ${status} in ${ms} ms`,
    followed && `redirects followed: ${followed}`,
    redirect && `redirect to ${redirect.to} not followed`,
    found !== undefined &&
      (found ? 'expected text found' : `expected text not found${cut ? ' in the first 64 KB' : ''}`),
    type,
    bytes !== undefined && `${cut ? 'over ' : ''}${bytes} bytes`,
    server && `server ${server}`,
    retryAfter && `retry after ${retryAfter}`,
    tls && `certificate ends in ${tls.daysLeft} days`,
  ].filter(Boolean);
  return [facts.join('; '), ...(body === undefined ? [] : ['body, as data:', body])].join('\n');
}
