import type { RequestOptions } from 'node:http';

import { failed, type Check, type Context } from './check.ts';
import { getFrom, said } from './http.ts';
import { ruling } from './policy.ts';

const SOCKET = 'unix:///var/run/docker.sock';

export const docker: Check = {
  what: 'docker',
  async run(context) {
    const host = context.config.docker.host || undefined;
    const where = endpointOf(host ?? SOCKET);
    if (where === undefined)
      return [
        {
          level: 'fail',
          what: 'docker',
          detail: 'the address of the Engine cannot be used',
          fix: 'Set DOCKER_HOST to unix:///path/docker.sock or tcp://host:port; an Engine behind SSH needs a forwarded socket.',
        },
      ];
    try {
      const { status, json } = await getFrom({ ...where, path: '/version' }, context.signal);
      const version = said(json, 'Version');
      if (status !== 200 || version === undefined)
        return [
          {
            level: 'fail',
            what: 'docker',
            detail: `${host ?? SOCKET} answers, but not as a Docker Engine (HTTP ${status})`,
          },
        ];
      return [{ level: 'ok', what: 'docker', detail: `Engine ${version}; ${rulingOf(context)}` }];
    } catch (thrown) {
      if (context.signal.aborted) throw thrown;
      const denied = thrown instanceof Error && /EACCES/.test(thrown.message);
      const fix = denied
        ? 'This user may not open the socket: join the group docker, or run a rootless Engine.'
        : 'Start the Engine, or set DOCKER_HOST to where one is.';
      // Without a setting nobody has said that there is one.
      return [failed('docker', thrown, host !== undefined ? 'fail' : denied ? 'warn' : 'off', fix)];
    }
  },
};

function rulingOf(context: Context): string {
  const { host } = context.facts.docker;
  const target = { kind: 'image', id: 'any image', at: { dockerHost: host } } as const;
  return `${host} is ${ruling(context, { write: { tool: 'docker-build', target } })}`;
}

function endpointOf(host: string): RequestOptions | undefined {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  if (host.startsWith('/')) return { socketPath: host };
  const url = URL.canParse(host) ? new URL(host) : undefined;
  if (url?.protocol !== 'tcp:' || url.username !== '') return undefined;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 2375) };
}
