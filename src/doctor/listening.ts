import { DEFAULT_HTTP } from '../config/config.ts';
import { tokensConfigured } from '../config/token.ts';
import type { Check } from './check.ts';
import { get } from './http.ts';

const LOCAL = new Set(['127.0.0.1', '::1', 'localhost']);

/** The address of HTTP: free, ours, or somebody else's. */
export const listening: Check = {
  what: 'http',
  async run({ config, signal }) {
    const { host, port } = config.transport.kind === 'http' ? config.transport : DEFAULT_HTTP;
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    if (!LOCAL.has(host) && !tokensConfigured(config))
      return [
        {
          level: 'fail',
          what: 'http',
          detail: `${address} is for others to reach, and no token is set`,
          fix: 'Set HOLDPOINT_TOKEN (openssl rand -hex 32), or listen on 127.0.0.1.',
        },
      ];
    const answer = await get(`http://${address}/health`, { signal }).catch((error: unknown) => {
      if (signal.aborted) throw error;
      return undefined;
    });
    if (answer === undefined)
      return [
        config.given.http
          ? { level: 'ok', what: 'http', detail: `${address} is free` }
          : { level: 'off', what: 'http', detail: `not served; ${address} is free for holdpoint serve --http` },
      ];
    const ours = answer.status === 200 && /"status":"ok"|^ok\b/.test(answer.text);
    if (ours) return [{ level: 'ok', what: 'http', detail: `Holdpoint serves at http://${address}/mcp` }];
    return [
      {
        level: config.given.http ? 'fail' : 'warn',
        what: 'http',
        detail: `${address} is taken by another program`,
        fix: 'Give another with --http HOST:PORT.',
      },
    ];
  },
};
