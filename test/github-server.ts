import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createEmulator } from 'emulate';
import { parse } from 'yaml';

import { addActions, addPulls, fileAt, findWorkflow } from './github-actions.ts';
import type { App, Hooks, SeenRequest } from './github-actions.ts';
import { mirrorBranch } from './github-mirror.ts';
import { newRun, type GitHubStore } from './github-stages.ts';

/**
 * GitHub's REST API on a local port: the emulator of the package `emulate`, with what it lacks added here: workflows with
 * their files, inputs held against them, runs that go on with every look at them, jobs with steps, logs behind a redirect,
 * re-runs that keep their number, re-runs of failed jobs, commit statuses, and people's permissions in GitHub's words. All of
 * it is emulated; none of it is GitHub.
 */
export interface GitHubServer {
  url: string;
  /** ann's, who owns the organisation; bob may review. */
  token: string;
  tokens: { ann: string; bob: string };
  repository: string;
  /** The emulator's tables, for what no request can bring about. */
  store: GitHubStore;
  /** Every request since the start or the last `forget`, oldest first. */
  requests: SeenRequest[];
  forget(): void;
  /** How a dispatch answers: with the run, with nothing, or by refusing the question (older Enterprise Servers). */
  details: Hooks['details'];
  /** What somebody else does while a dispatch is taken. */
  onDispatch: Hooks['onDispatch'];
  /** Writes a file on a branch, as a commit; gives the commit. */
  write(branch: string, path: string, content: string): Promise<string>;
  branch(name: string, from?: string): Promise<string>;
  sha(ref: string): Promise<string>;
  /**
   * Brings a branch of a bare repository here as it is, with its commits' ids; gives its commit. The workflows on main
   * become known, as they do on GitHub.
   */
  mirror(bare: string, branch: string): Promise<string>;
  /** Makes a workflow known (its file is written on main, and on other branches made from it later). */
  addWorkflow(path: string, text: string): Promise<number>;
  workflowId(file: string): number;
  /** From now on runs of this workflow file fail at this step, with these lines in the log. */
  failAt(path: string, step: string, lines: readonly string[]): void;
  pass(path: string): void;
  /** Whether a look at a run brings it one stage on: queued, in progress, completed. */
  advancing: { on: boolean };
  /** A run made behind everybody's back, as another person would. */
  startRun(file: string, branch: string, event?: string): Promise<number>;
  /** One request with ann's token; throws on an error status. */
  api(method: string, path: string, body?: unknown, token?: string): Promise<unknown>;
  close(): Promise<void>;
}

interface GitHubPlugin {
  githubPlugin: { register(app: App, store: unknown, webhooks: unknown, url: string, tokens: unknown): void };
  getGitHubStore: (this: void, store: unknown) => GitHubStore;
}

const REPOSITORY = 'acme/shop';

const WORKFLOWS: Readonly<Record<string, string>> = {
  '.github/workflows/ci.yml': `name: CI
on:
  push: { branches-ignore: [staging] }
  pull_request:
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - { name: Test, run: npm test }
`,
  '.github/workflows/deploy-staging.yml': `name: Deploy staging
on:
  workflow_dispatch:
    inputs:
      version: { description: What to deploy, required: true }
      replicas: { type: number, default: 2 }
      migrate: { type: boolean, default: false }
      size: { type: choice, options: [small, large], default: small }
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: staging
    steps:
      - uses: actions/checkout@v5
      - { name: Build, run: make image }
      - { name: Roll out, run: make rollout }
`,
  '.github/workflows/deploy-production.yml': `name: Deploy production
on:
  workflow_dispatch:
    inputs: { version: { required: true } }
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: { name: production, url: 'https://shop.example' }
    steps:
      - { name: Roll out, run: make rollout }
`,
};

const TOKENS = { ann: 'token-of-ann-0123456789', bob: 'token-of-bob-0123456789' };

/** What the emulator's plugin was last registered with, by address. */
const registered = new Map<string, { gh: GitHubStore; hooks: Hooks }>();
let plugin: Promise<void> | undefined;

/** The package does not export its plugin: it is found among its files, and adds our routes before its own from then on. */
async function extendPlugin(): Promise<void> {
  const folder = realpathSync(new URL('../node_modules/emulate/dist', import.meta.url));
  const file = readdirSync(folder)
    .filter((name) => /^dist-.*\.js$/.test(name))
    .find((name) => readFileSync(`${folder}/${name}`, 'utf8').includes('getGitHubStore,'));
  const module = (await import(`${folder}/${file}`)) as GitHubPlugin;
  const { githubPlugin, getGitHubStore } = module;
  const register = githubPlugin.register.bind(githubPlugin);
  githubPlugin.register = (app, store, webhooks, url, tokens) => {
    const hooks: Hooks = {
      requests: [],
      details: { mode: 'given' },
      advancing: { on: true },
      failures: new Map(),
      logs: new Map(),
      onDispatch: {},
      statuses: new Map(),
    };
    const gh = getGitHubStore(store);
    registered.set(url, { gh, hooks });
    addActions(app, gh, url, hooks);
    addPulls(app, hooks);
    register(app, store, webhooks, url, tokens);
  };
}

/** Starts the emulator with acme/shop: main with the workflows of `files`, staging and feature/login from it. */
export async function startGitHub(files: Readonly<Record<string, string>> = WORKFLOWS): Promise<GitHubServer> {
  await (plugin ??= extendPlugin());
  const emulator = await createEmulator({
    service: 'github',
    port: 0,
    seed: {
      tokens: { [TOKENS.ann]: { login: 'ann' }, [TOKENS.bob]: { login: 'bob' } },
      github: {
        users: [{ login: 'ann' }, { login: 'bob' }],
        orgs: [{ login: 'acme', members: ['ann', 'bob'].map((login) => ({ login, role: 'admin' })) }],
        repos: [{ owner: 'acme', name: 'shop', private: true }],
      },
    },
  });
  const { url } = emulator;
  const entry = registered.get(url);
  if (!entry) throw new Error('The emulator did not register its routes.');
  const { gh, hooks } = entry;
  const root = `/repos/${REPOSITORY}`;

  const api: GitHubServer['api'] = async (method, path, body, token = TOKENS.ann) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  };
  const sha = async (ref: string) =>
    ((await api('GET', `${root}/git/ref/heads/${ref}`)) as { object: { sha: string } }).object.sha;
  const write: GitHubServer['write'] = async (branch, path, content) => {
    const known = await api('GET', `${root}/contents/${path}?ref=${encodeURIComponent(branch)}`).catch(() => undefined);
    await api('PUT', `${root}/contents/${path}`, {
      message: `Write ${path}`,
      content: Buffer.from(content).toString('base64'),
      branch,
      ...(known === undefined ? {} : { sha: (known as { sha: string }).sha }),
    });
    return sha(branch);
  };
  const workflowId = (file: string) => findWorkflow(gh, file)?.id ?? 0;
  const know = (path: string, text: string) =>
    gh.workflows.insert({
      node_id: '',
      repo_id: gh.repos.findOneBy('full_name', REPOSITORY)?.id,
      name: (parse(text) as { name?: string }).name ?? path,
      path,
      state: 'active',
      badge_url: '',
    }).id;
  const server: GitHubServer = {
    url,
    token: TOKENS.ann,
    tokens: TOKENS,
    repository: REPOSITORY,
    store: gh,
    requests: hooks.requests,
    forget: () => void hooks.requests.splice(0),
    details: hooks.details,
    onDispatch: hooks.onDispatch,
    write,
    async branch(name, from = 'main') {
      const tip = await sha(from);
      await api('POST', `${root}/git/refs`, { ref: `refs/heads/${name}`, sha: tip });
      return tip;
    },
    sha,
    async mirror(bare, branch) {
      const { commit, workflows } = await mirrorBranch(api, root, bare, branch);
      for (const [path, text] of Object.entries(branch === 'main' ? workflows : {}))
        if (!findWorkflow(gh, path)) know(path, text);
      return commit;
    },
    async addWorkflow(path, text) {
      await write('main', path, text);
      return know(path, text);
    },
    workflowId,
    failAt: (path, step, lines) => void hooks.failures.set(path, { step, lines }),
    pass: (path) => void hooks.failures.delete(path),
    advancing: hooks.advancing,
    async startRun(file, branch, event = 'push') {
      const workflow = findWorkflow(gh, file);
      if (!workflow) throw new Error(`no workflow ${file}`);
      const text = await fileAt(url, String(workflow['path']), branch, `Bearer ${TOKENS.ann}`);
      return newRun(gh, { workflow, branch, sha: await sha(branch), event, text: text ?? '' }).id;
    },
    api,
    async close() {
      registered.delete(url);
      await emulator.close();
    },
  };
  for (const [path, text] of Object.entries(files)) await server.addWorkflow(path, text);
  for (const name of ['staging', 'feature/login']) await server.branch(name);
  server.forget();
  return server;
}
