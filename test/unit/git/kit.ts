import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished } from 'vitest';

import { createGit, type GitSettings } from '../../../src/adapters/git/client.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import type { Envelope } from '../../../src/core/envelope.ts';
import type { Ports } from '../../../src/core/tool.ts';
import tool from '../../../src/tools/git/git.ts';
import { newWorkspace } from '../files/workspace.ts';
import { FACTS, git as gitIn, newFolder, put, PROGRAMS } from '../processes/kit.ts';
import { newBench, type Bench } from '../server/services.ts';

const example = (resource: string, effect: string, branch: string) =>
  JSON.stringify({ kind: 'repository', id: 'origin', resource, effect, at: { branch } });

/** The default policy's rules that matter here, and a rule that allows force pushes where a test wants that. */
export const policy = ({ force = 'deny' }: { force?: 'allow' | 'deny' } = {}) => `
version: 1
name: git
environments:
  production: { branches: [main, 'prod*', 'release*'], workflows: ['*prod*'], githubEnvironments: ['prod*'] }
  staging: { branches: [staging], githubEnvironments: ['staging*'] }
  development: { branches: [develop, '{feature,feat,fix,chore}/*'], githubEnvironments: ['dev*'] }
rules:
  - id: operate
    decision: allow
    when: { kind: [repository, workflow] }
    reason: Repositories are worked on.
    examples: [{ tool: git, targets: [${example('push', 'write', 'feature/x')}], expect: allow }]
  - id: files
    decision: allow
    when: { kind: file, path: ['*.txt', 'docker/**', '.github/workflows/*.yml', '*.md', '.gitattributes', config] }
    reason: Files are read and written.
    examples: [{ tool: git, targets: [{ kind: file, id: a.txt, effect: read, path: a.txt }], expect: allow }]
  - id: reference
    decision: allow
    when: { kind: file, path: 'src/**', effect: read }
    reason: Code is read.
    examples: [{ tool: git, targets: [{ kind: file, id: src/a.py, effect: read, path: src/a.py }], expect: allow }]
  - id: secrets
    decision: deny
    when: { kind: file, path: ['**/.env*', '**/secrets/**'] }
    reason: Secrets are not read.
    examples: [{ tool: git, targets: [{ kind: file, id: .env, effect: read, path: .env }], expect: deny }]
  - id: production
    decision: require_approval
    when: { environment: production, effect: [write, destroy] }
    reason: A person confirms production.
    examples: [{ tool: git, targets: [${example('push', 'write', 'main')}], expect: require_approval }]
${
  force === 'allow'
    ? ''
    : `  - id: force-push
    decision: deny
    when: { kind: repository, resource: force-push }
    reason: A force push rewrites what others have.
    examples: [{ tool: git, targets: [${example('force-push', 'destroy', 'feature/x')}], expect: deny }]`
}
`;

export interface GitBench extends Bench {
  /** The workspace's folder, a repository with one commit on main that is also on `origin`. */
  dir: string;
  /** A bare repository outside the workspace. */
  origin: string;
  /** git as a person runs it in the workspace. */
  git: (...args: string[]) => string;
  write: (path: string, text: string, mode?: number) => void;
  tool: (args: JsonObject) => Promise<Envelope>;
  /** The result of a call that must be done; fails with the whole envelope otherwise. */
  result: (args: JsonObject) => Promise<Record<string, unknown>>;
  /** Approves a held call as a person would; the run that follows it. */
  approve: (args: JsonObject) => Promise<() => Promise<Envelope>>;
  /** What a ref of the bare repository stands for; empty where it is not there. */
  remoteRef: (ref: string) => string;
  /** Another clone, pushing as a colleague does. */
  colleague: (branch: string) => void;
}

export async function newGitBench(settings: Partial<GitSettings> = {}): Promise<GitBench> {
  const { dir, files } = newWorkspace({
    'a.txt': 'one\n',
    'docker/Dockerfile': 'FROM scratch\n',
    'src/a.py': 'x = 1\n',
  });
  const origin = join(newFolder(), 'origin.git');
  const git = (...args: string[]) => gitIn(dir, ...args);
  git('init', '-q', '-b', 'main');
  git('add', '.');
  git('commit', '-qm', 'first');
  git('init', '-q', '--bare', '-b', 'main', origin);
  git('remote', 'add', 'origin', origin);
  git('push', '-q', 'origin', 'main');
  const grammar = PROGRAMS['git'];
  if (!grammar) throw new Error('no grammar of git');
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: newFolder(),
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'ann@example.com',
    ...settings.environment,
  };
  const port = createGit({ workspace: dir, grammar, ...settings, environment });
  const bench = await newBench({
    registry: new Map([[tool.name, tool as never]]),
    ports: { git: port, files } as Partial<Ports> as Ports,
    facts: FACTS,
  });
  bench.setPolicy(policy());
  bench.approvers.add({ name: 'alice', person: 'ann', at: Date.now() });
  onTestFinished(async () => {
    await bench.close();
    await port.close();
  });
  const call = async (args: JsonObject) => (await bench.call('git', args)).envelope;
  return {
    ...bench,
    dir,
    origin,
    git,
    write: (path, text, mode = 0o644) => void put(dir, path, text, mode),
    tool: call,
    async result(args) {
      const envelope = await call(args);
      expect(envelope).toMatchObject({ status: 'done' });
      return envelope.result ?? {};
    },
    async approve(args) {
      const held = await call(args);
      expect(held).toMatchObject({ status: 'approval_required' });
      const id = held.approval?.id ?? '';
      const { digest } = await bench.services.approvals.find(id);
      await bench.services.approvals.decide(
        bench.approvers.sign({ id, digest, decision: 'approve', approver: 'alice', at: Date.now(), reason: 'because' }),
      );
      return async () => (await bench.call('approval', { action: 'run', id })).envelope;
    },
    remoteRef: (ref) => {
      const found = gitIn(origin, 'for-each-ref', '--format=%(objectname)', ref);
      return found.trim();
    },
    colleague(branch) {
      const clone = join(newFolder(), 'clone');
      gitIn(dirname(clone), 'clone', '-q', origin, clone);
      const there = gitIn(clone, 'branch', '-a', '--list', `*${branch}`).trim() !== '';
      gitIn(clone, 'switch', '-q', ...(there ? [branch] : ['-c', branch]));
      writeFileSync(join(clone, 'theirs.txt'), `${Math.random()}\n`);
      gitIn(clone, 'add', '.');
      gitIn(clone, 'commit', '-qm', 'theirs');
      gitIn(clone, 'push', '-q', 'origin', branch);
    },
  };
}

/** A program that leaves a file when it runs; `ran` says what called it. */
export function newTrap(): { program: string; ran: () => boolean } {
  const folder = newFolder();
  const marker = join(folder, 'marker');
  return {
    program: put(folder, 'evil', `#!/bin/sh\necho "$0 $@" >> ${marker}\ncat\n`, 0o755),
    ran: () => existsSync(marker),
  };
}

export function configure(dir: string, text: string): void {
  mkdirSync(join(dir, '.git'), { recursive: true });
  appendFileSync(join(dir, '.git/config'), text);
}

/** Whether a process runs; one that has ended and that nobody has asked about does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
