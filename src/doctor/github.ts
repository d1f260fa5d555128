import { failed, type Check, type Context, type Finding } from './check.ts';
import { get, said } from './http.ts';
import { ruling } from './policy.ts';

export const github: Check = {
  what: 'github',
  async run(context) {
    const { url, token } = context.config.github;
    if (token === undefined)
      return [
        {
          level: 'off',
          what: 'github',
          detail: `no token for ${url}`,
          fix: 'Set HOLDPOINT_GITHUB_TOKEN (or GH_TOKEN), or github.token in holdpoint.yaml.',
        },
      ];
    try {
      // Anything may ask it, tokens of an app or of Actions included, which have no user.
      const { status, header } = await get(`${url}/rate_limit`, { token, signal: context.signal });
      if (status === 401) return [refused(url)];
      if (status >= 300)
        return [{ level: 'fail', what: 'github', detail: `${url} answers HTTP ${status}`, fix: 'Check github.url.' }];
      return [account(url, header), await repository(context)];
    } catch (thrown) {
      return [failed('github', thrown, 'fail', 'Check github.url and this machine’s network.')];
    }
  },
};

function account(url: string, header: (name: string) => string | undefined): Finding {
  const scopes = header('x-oauth-scopes');
  const expires = header('github-authentication-token-expiration');
  const facts = [
    `${new URL(url).hostname} accepts the token`,
    scopes === undefined ? 'fine-grained' : `scopes: ${scopes || 'none'}`,
    ...(expires === undefined ? [] : [`until ${expires}`]),
  ];
  return { level: 'ok', what: 'github', detail: facts.join('; ') };
}

async function repository(context: Context): Promise<Finding> {
  const what = 'github repository';
  const { url, token } = context.config.github;
  const name = context.facts.github.repository;
  if (name === undefined)
    return {
      level: 'warn',
      what,
      detail: 'none is set, and the workspace’s origin is not there',
      fix: 'Set GITHUB_REPOSITORY to owner/name, or name one in each call.',
    };
  const { status, json } = await get(`${url}/repos/${name}`, { token, signal: context.signal });
  if (status === 404)
    return {
      level: 'fail',
      what,
      detail: `${name} is not there, or the token may not see it`,
      fix: 'Give the token access to it.',
    };
  if (status !== 200)
    return { level: 'fail', what, detail: `${name}: HTTP ${status}`, fix: 'Check what the token may do.' };
  const branch = said(json, 'default_branch') ?? 'main';
  const may = ['admin', 'push', 'pull'].find((right) => permits(json, right)) ?? 'unknown';
  const target = { kind: 'workflow', id: 'any workflow', at: { branch } } as const;
  const rule = ruling(context, { write: { tool: 'gh-workflow-run', target } });
  return { level: 'ok', what, detail: `${name}, rights: ${may}; ${branch} is ${rule}` };
}

function permits(json: unknown, right: string): boolean {
  const { permissions } = (json ?? {}) as { permissions?: Record<string, unknown> };
  return permissions?.[right] === true;
}

function refused(url: string): Finding {
  return {
    level: 'fail',
    what: 'github',
    detail: `${url} does not accept the token`,
    fix: 'Make a new token and set HOLDPOINT_GITHUB_TOKEN.',
  };
}
