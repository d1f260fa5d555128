import { createGitHub } from '../../../src/adapters/github/client.ts';
import type { AnyTool, Ports } from '../../../src/core/tool.ts';
import { startGitHub, type GitHubServer } from '../../github-server.ts';
import { newBench, type Bench } from '../server/services.ts';

const POLICY = `
version: 1
name: sample
environments:
  restricted: { workflows: ['vault*'] }
  production: { branches: [main], workflows: ['*prod*'], githubEnvironments: ['prod*'] }
  staging: { branches: [staging], workflows: ['deploy-staging*'], githubEnvironments: ['staging*'] }
  development: { branches: ['feature/*'], githubEnvironments: ['dev*'] }
rules:
  - id: operate
    decision: allow
    when: { kind: workflow }
    reason: Workflows may be run.
    examples: [{ tool: gh-run, targets: [{ kind: workflow, id: x, effect: read, at: {} }], expect: allow }]
  - id: production
    decision: require_approval
    when: { environment: production, effect: [write, destroy] }
    reason: A person confirms production.
    examples: [{ tool: gh-run, targets: [{ kind: workflow, id: x, effect: write, at: { branch: main } }], expect: require_approval }]
  - id: restricted
    decision: deny
    when: { environment: restricted }
    reason: Not yours.
    examples: [{ tool: gh-run, targets: [{ kind: workflow, id: x, effect: read, at: { workflow: vault } }], expect: deny }]
`;

export interface GitHubBench extends Bench {
  github: GitHubServer;
  /** The result of a call that must be done; fails with the whole envelope otherwise. */
  result(tool: string, args: object): Promise<Record<string, unknown>>;
  /** Approves a held call as a person would, and runs it: the envelope. */
  approveAndRun(tool: string, args: object): ReturnType<Bench['call']>;
  /** Requests that change something, as `METHOD path`. */
  changes(): string[];
}

/** Dispatch with these tools over the emulated GitHub; a second lasts 5 ms. */
export async function newGitHubBench(tools: readonly AnyTool[]): Promise<GitHubBench> {
  const github = await startGitHub();
  const bench = await newBench({
    registry: new Map(tools.map((tool) => [tool.name, tool])),
    ports: { github: createGitHub({ url: github.url, token: github.token, second: 5 }) } as Ports,
    facts: {
      kubernetes: { contexts: {} },
      docker: { host: 'local' },
      github: { repository: github.repository },
      monitoring: {},
      programs: {},
    },
  });
  bench.setPolicy(POLICY);
  bench.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
  return {
    ...bench,
    github,
    async result(tool, args) {
      const { envelope } = await bench.call(tool, args);
      if (envelope.status !== 'done') throw new Error(JSON.stringify(envelope));
      return envelope.result ?? {};
    },
    async approveAndRun(tool, args) {
      const { envelope } = await bench.call(tool, args);
      const { id = '', digest = '' } = envelope.approval ?? {};
      const signed = { id, digest, decision: 'approve' as const, approver: 'alice', at: Date.now(), reason: 'because' };
      await bench.services.approvals.decide(bench.approvers.sign(signed));
      return bench.call('approval', { action: 'run', id });
    },
    changes: () =>
      github.requests.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`),
    async close() {
      await bench.close();
      await github.close();
    },
  };
}
