import { expect } from 'vitest';

import { createGitHub } from '../../../src/adapters/github/client.ts';
import type { AnyTool } from '../../../src/core/tool.ts';
import tool from '../../../src/tools/github/github-api.ts';
import { newGitHubBench, type GitHubBench } from './kit.ts';
import { checkedFetch, type CheckedFetch } from './openapi.ts';

const MERGE = { kind: 'repository', id: 'acme/shop', resource: 'merge', effect: 'write', at: { branch: 'develop' } };
const OPEN = { ...MERGE, resource: 'pull-request' };

const POLICY = `
version: 1
name: sample
environments:
  production: { branches: [main], workflows: ['*prod*'], githubEnvironments: ['prod*'] }
  staging: { branches: [staging], githubEnvironments: ['staging*'] }
  development: { branches: ['feature/*', develop], githubEnvironments: ['dev*'] }
rules:
  - id: operate
    decision: allow
    when: { kind: [repository, workflow] }
    reason: Repositories may be worked on.
    examples: [{ tool: github-api, targets: [${JSON.stringify(OPEN)}], expect: allow }]
  - id: merges
    decision: require_approval
    when: { kind: repository, resource: merge }
    reason: A person confirms every merge.
    examples: [{ tool: github-api, targets: [${JSON.stringify(MERGE)}], expect: require_approval }]
  - id: production
    decision: require_approval
    when: { kind: workflow, environment: production, effect: write }
    reason: A person confirms what reaches production.
    examples: [{ tool: github-api, targets: [{ kind: workflow, id: x, effect: write, at: { branch: main } }], expect: require_approval }]
`;

/** What the emulator does not have, and what a test makes GitHub answer. */
interface Parts {
  /** Commit statuses by commit. */
  statuses: Map<string, { context: string; state: string }[]>;
  /** What people may do in the repository; a person who is not here is one GitHub does not tell about (403). */
  permissions: Map<string, 'admin' | 'write' | 'read' | 'none'>;
  /** Changes an answer before it is given; by `METHOD path`. */
  change: Map<string, (body: Record<string, unknown>) => Record<string, unknown>>;
  /** Answers instead of the emulator; by `METHOD path`, with ` (diff)` where that is asked for. */
  instead: Map<string, () => Promise<Response> | Response>;
}

export interface PullsBench extends GitHubBench {
  parts: Parts;
  checked: CheckedFetch;
  /** A commit on the branch, which an open pull request of it follows; gives the commit. */
  push(branch: string, path?: string, content?: string): Promise<string>;
  review(number: number, event: 'APPROVE' | 'REQUEST_CHANGES' | 'COMMENT', token?: string): Promise<{ id: number }>;
  check(sha: string, name: string, conclusion: string | null): Promise<void>;
  /** An open pull request of feature/login into `base`; gives number and head. */
  open(base?: string): Promise<{ number: number; sha: string }>;
  /** One that may be merged: bob has approved, one check is green. */
  ready(base?: string): Promise<{ number: number; sha: string }>;
}

/** Dispatch over the emulated GitHub; a request that GitHub's description does not know fails the test when it closes. */
export async function newPullsBench(tools: readonly AnyTool[] = [tool]): Promise<PullsBench> {
  const bench = await newGitHubBench(tools);
  bench.setPolicy(POLICY);
  const { github } = bench;
  const root = `/repos/${github.repository}`;
  const parts: Parts = {
    statuses: new Map(),
    permissions: new Map([
      ['ann', 'admin'],
      ['bob', 'write'],
    ]),
    change: new Map(),
    instead: new Map(),
  };
  const checked = checkedFetch(withParts(parts));
  const settings = { url: github.url, token: github.token, second: 5, fetch: checked.fetch };
  bench.services.ports.github = createGitHub(settings);

  let pushes = 0;
  const open: PullsBench['open'] = async (base = 'develop') => {
    const sha = await push('feature/login');
    const made = await github.api('POST', `${root}/pulls`, { title: 'Add a login', head: 'feature/login', base });
    return { number: (made as { number: number }).number, sha };
  };
  const push: PullsBench['push'] = async (branch, path = 'login.txt', content = `${(pushes += 1)}`) => {
    const sha = await github.write(branch, path, content);
    // The emulator keeps the head that a pull request was opened with.
    for (const pull of github.store.pullRequests.all())
      if (pull['head_ref'] === branch && pull['state'] === 'open')
        github.store.pullRequests.update(pull.id, { head_sha: sha });
    return sha;
  };
  const review: PullsBench['review'] = async (number, event, token = github.tokens.bob) =>
    (await github.api('POST', `${root}/pulls/${number}/reviews`, { event, body: 'said' }, token)) as { id: number };
  const check: PullsBench['check'] = async (sha, name, conclusion) => {
    const state = conclusion === null ? { status: 'in_progress' } : { status: 'completed', conclusion };
    await github.api('POST', `${root}/check-runs`, { name, head_sha: sha, ...state });
  };
  await github.branch('develop');
  github.forget();
  return {
    ...bench,
    parts,
    checked,
    open,
    push,
    review,
    check,
    async ready(base) {
      const opened = await open(base);
      await review(opened.number, 'APPROVE');
      await check(opened.sha, 'test', 'success');
      return opened;
    },
    async close() {
      await bench.close();
      expect(checked.problems).toEqual([]);
    },
  };
}

function withParts({ statuses, permissions, change, instead }: Parts): typeof fetch {
  return async (address, init) => {
    const url = new URL(address instanceof Request ? address.url : address);
    const path = decodeURIComponent(url.pathname);
    const asDiff = new Headers(init?.headers).get('accept')?.includes('diff') ? ' (diff)' : '';
    const asked = `${init?.method ?? 'GET'} ${path}${asDiff}`;
    const given = instead.get(asked);
    if (given) return given();
    const sha = /\/commits\/(\w+)\/status$/.exec(path)?.[1];
    if (sha !== undefined) return Response.json({ sha, state: 'pending', statuses: statuses.get(sha) ?? [] });
    const person = /\/collaborators\/([^/]+)\/permission$/.exec(path)?.[1];
    if (person !== undefined) {
      const permission = permissions.get(person);
      return permission === undefined
        ? Response.json({ message: 'Resource not accessible by personal access token' }, { status: 403 })
        : Response.json({ permission, role_name: permission, user: null });
    }
    const answer = await fetch(address, init);
    const changed = change.get(asked);
    return changed ? Response.json(changed((await answer.json()) as Record<string, unknown>)) : answer;
  };
}
