import { writeFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';

import { createFakeDocker } from '../../../src/adapters/docker/fake.ts';
import { createFakeKubernetes } from '../../../src/adapters/kubernetes/fake.ts';
import type { KubeObject } from '../../../src/adapters/kubernetes/objects.ts';
import { createMonitoring } from '../../../src/adapters/monitoring/client.ts';
import { createTasks } from '../../../src/adapters/tasks/client.ts';
import { TASK_RANKING } from '../../../src/config/locations.ts';
import ghRun from '../../../src/tools/github/gh-run.ts';
import ghWorkflowRun from '../../../src/tools/github/gh-workflow-run.ts';
import githubApi from '../../../src/tools/github/github-api.ts';
import { newWorkspace } from '../files/workspace.ts';
import { newPullsBench } from '../github/github-api-kit.ts';
import { monitoringBench, startUpstream } from '../monitoring/kit.ts';
import { KEY, startTasks, type QueueTask } from '../../tasks-server.ts';
import { heldBench, holding, type Case } from './world.ts';

const DOCKER: Case = {
  tool: 'docker-build',
  what: 'a build',
  relies: [/^context:\.$/, /^base:base:1$/, /^tag:api:1$/],
  moves: [
    'a file of the context',
    'the Dockerfile',
    'a file more',
    '.dockerignore',
    'the base behind its tag',
    'what the tag stands for',
  ],
  still: ['another image', 'what .dockerignore leaves out'],
  make: async () => {
    const { files, at } = newWorkspace({
      Dockerfile: 'FROM base:1\nCOPY a.py /\n',
      '.dockerignore': 'notes\n',
      'a.py': 'a',
      'b.py': 'b',
      notes: 'n',
    });
    const { port, images } = createFakeDocker({ 'base:1': 'sha256:base', 'api:1': 'sha256:old' });
    return {
      bench: await heldBench({ files, docker: port }),
      args: { context: '.', tags: ['api:1'] },
      moves: {
        'a file of the context': () => writeFileSync(at('a.py'), 'changed'),
        'the Dockerfile': () => writeFileSync(at('Dockerfile'), 'FROM base:1\nCOPY b.py /\n'),
        'a file more': () => writeFileSync(at('c.py'), 'c'),
        '.dockerignore': () => writeFileSync(at('.dockerignore'), 'b.py\n'),
        'the base behind its tag': () => images.set('base:1', 'sha256:moved'),
        'what the tag stands for': () => images.set('api:1', 'sha256:moved'),
      },
      still: {
        'another image': () => images.set('worker:1', 'sha256:worker'),
        'what .dockerignore leaves out': () => writeFileSync(at('notes'), 'changed'),
      },
    };
  },
};

const PUSHED = 'localhost:5000/api:1';

const PUSH: Case = {
  tool: 'docker-push',
  what: 'a push',
  relies: [/^image:localhost:5000\/api:1$/],
  moves: ['the image behind the tag', 'its being there'],
  still: ['another image', 'another tag of it'],
  make: async () => {
    const { port, images } = createFakeDocker({ [PUSHED]: 'sha256:one' });
    return {
      bench: await heldBench({ docker: port }),
      args: { image: PUSHED },
      moves: {
        'the image behind the tag': () => images.set(PUSHED, 'sha256:moved'),
        'its being there': () => images.delete(PUSHED),
      },
      still: {
        'another image': () => images.set('localhost:5000/worker:1', 'sha256:worker'),
        'another tag of it': () => images.set('localhost:5000/api:2', 'sha256:one'),
      },
    };
  },
};

type Deployment = KubeObject & {
  spec: { replicas?: number; paused?: boolean; strategy?: object; template: { metadata?: object; spec: object } };
};

/** A cluster with api in prod, at its second revision; `edit` changes the deployment behind everybody's back. */
async function cluster() {
  const fake = createFakeKubernetes(['only']);
  const { port: docker, images } = createFakeDocker({
    'api:1': 'sha256:one',
    'api:2': 'sha256:two',
    'api:3': 'sha256:three',
  });
  fake.deploy({ name: 'api', namespace: 'prod', image: 'api:1' });
  fake.deploy({ name: 'api', namespace: 'prod', image: 'api:2' });
  const bench = await heldBench(
    { kubernetes: fake.port, docker, monitoring: createMonitoring({}) },
    { kubernetes: fake.facts },
  );
  const edit = (change: (deployment: Deployment) => void) => () => {
    const deployment = structuredClone(fake.get('apps/v1', 'deployments', 'prod', 'api')) as Deployment;
    change(deployment);
    fake.add('apps/v1', 'deployments', deployment);
  };
  return {
    bench,
    fake,
    images,
    edit,
    moves: {
      'the cluster': () => fake.add('v1', 'namespaces', { metadata: { name: 'kube-system', uid: 'another' } }),
      'the object': edit(({ metadata }) => void (metadata.uid = 'another')),
      'the pod template': edit(({ spec }) => void (spec.template.metadata = { labels: { app: 'api', more: 'x' } })),
      'the strategy': edit(({ spec }) => void (spec.strategy = { type: 'Recreate' })),
      'the paused flag': edit(({ spec }) => void (spec.paused = true)),
    },
    still: {
      'the status': () => fake.touch('apps/v1', 'deployments', 'prod', 'api'),
      'the replicas': edit(({ spec }) => void (spec.replicas = 5)),
      'an annotation of its own': edit(
        ({ metadata }) => void (metadata.annotations = { ...metadata.annotations, note: 'x' }),
      ),
      'a service': () =>
        fake.add('v1', 'services', {
          metadata: { name: 'api', namespace: 'prod' },
          spec: { selector: { app: 'api' } },
        } as KubeObject),
      'another workload': () => fake.deploy({ name: 'worker', namespace: 'prod', image: 'worker:1' }),
    },
  };
}

const WORKLOAD_MOVES = ['the cluster', 'the object', 'the pod template', 'the strategy', 'the paused flag'];
const WORKLOAD_STILL = ['the status', 'the replicas', 'an annotation of its own', 'a service', 'another workload'];
const ROLLOUT = { kind: 'deployment', name: 'api', namespace: 'prod', wait: 0 };

const KUBERNETES: Case[] = [
  {
    tool: 'kubectl-rollout',
    what: 'a restart',
    relies: [/^cluster:only$/, /^deployment:prod\/api$/, /^image:api:2$/],
    moves: [...WORKLOAD_MOVES, 'the image behind its tag'],
    still: WORKLOAD_STILL,
    make: async () => {
      const { bench, images, moves, still } = await cluster();
      const image = () => images.set('api:2', 'sha256:moved');
      return {
        bench,
        args: { action: 'restart', ...ROLLOUT },
        moves: { ...moves, 'the image behind its tag': image },
        still,
      };
    },
  },
  {
    tool: 'kubectl-rollout',
    what: 'another image',
    relies: [/^cluster:only$/, /^deployment:prod\/api$/, /^image:api:3$/],
    moves: [...WORKLOAD_MOVES, 'the image behind its tag', 'what the nodes hold of it'],
    still: [...WORKLOAD_STILL, 'the image that runs now'],
    make: async () => {
      const { bench, fake, images, moves, still } = await cluster();
      return {
        bench,
        args: { action: 'set-image', images: { api: 'api:3' }, ...ROLLOUT },
        moves: {
          ...moves,
          'the image behind its tag': () => images.set('api:3', 'sha256:moved'),
          'what the nodes hold of it': () =>
            fake.add('v1', 'nodes', {
              metadata: { name: 'node' },
              status: { images: [{ names: ['docker.io/library/api:3', 'docker.io/library/api@sha256:x'] }] },
            } as KubeObject),
        },
        still: { ...still, 'the image that runs now': () => images.set('api:2', 'sha256:moved') },
      };
    },
  },
  {
    tool: 'kubectl-rollout',
    what: 'an undo',
    relies: [/^cluster:only$/, /^deployment:prod\/api$/, /^revision:prod\/api$/, /^image:api:1$/],
    moves: [...WORKLOAD_MOVES, 'the revision', 'the image behind its tag'],
    still: WORKLOAD_STILL,
    make: async () => {
      const { bench, fake, images, moves, still } = await cluster();
      const revision = () => {
        const path = '/apis/apps/v1/namespaces/prod/replicasets';
        const json = fake.api.json.bind(fake.api);
        fake.api.json = async (request, call) => {
          const answer = await json(request, call);
          if (request.path !== path) return answer;
          return JSON.parse(
            JSON.stringify(answer).replaceAll('"image":"api:1"', '"image":"api:1","tty":true'),
          ) as typeof answer;
        };
      };
      return {
        bench,
        args: { action: 'undo', ...ROLLOUT },
        moves: {
          ...moves,
          'the revision': revision,
          'the image behind its tag': () => images.set('api:1', 'sha256:moved'),
        },
        still,
      };
    },
  },
];

async function github() {
  const bench = holding(await newPullsBench([githubApi, ghRun, ghWorkflowRun]));
  onTestFinished(() => bench.close());
  return bench;
}

const STAGING = '.github/workflows/deploy-staging.yml';
const root = '/repos/acme/shop';

const GITHUB: Case[] = [
  {
    tool: 'gh-workflow-run',
    what: 'a dispatch',
    relies: [/^ref:staging$/, /^workflow:2$/, /^file:\.github\/workflows\/deploy-staging\.yml$/],
    moves: ['the commit', 'the workflow’s state'],
    still: ['another branch', 'another run'],
    make: async () => {
      const bench = await github();
      return {
        bench,
        args: { workflow: 'deploy-staging.yml', ref: 'staging', inputs: { version: '1' }, follow: false },
        moves: {
          'the commit': () => bench.github.write('staging', 'a.txt', 'x'),
          'the workflow’s state': () => bench.github.store.workflows.update(2, { state: 'disabled_manually' }),
        },
        still: {
          'another branch': () => bench.github.write('feature/login', 'a.txt', 'x'),
          'another run': () => bench.github.startRun('deploy-staging.yml', 'staging'),
        },
      };
    },
  },
  {
    tool: 'gh-run',
    what: 'an end',
    relies: [/^run:1$/],
    moves: ['its end', 'its attempt'],
    still: ['its progress', 'another run'],
    make: async () => {
      const bench = await github();
      bench.github.advancing.on = false;
      await bench.github.startRun('deploy-staging.yml', 'staging');
      const set = (row: Record<string, unknown>) => () => bench.github.store.workflowRuns.update(1, row);
      return {
        bench,
        args: { action: 'cancel', run: 1 },
        moves: {
          'its end': set({ status: 'completed', conclusion: 'success' }),
          'its attempt': set({ run_attempt: 2 }),
        },
        still: {
          'its progress': set({ status: 'in_progress' }),
          'another run': () => bench.github.startRun('ci.yml', 'main'),
        },
      };
    },
  },
  {
    tool: 'gh-run',
    what: 'a repetition',
    relies: [/^run:1$/, /^file:\.github\/workflows\/deploy-staging\.yml$/],
    moves: ['its attempt', 'its going on'],
    still: ['the branch', 'another run'],
    make: async () => {
      const bench = await github();
      await bench.github.startRun('deploy-staging.yml', 'staging');
      bench.github.advancing.on = false;
      const set = (row: Record<string, unknown>) => () => bench.github.store.workflowRuns.update(1, row);
      set({ status: 'completed', conclusion: 'failure' })();
      return {
        bench,
        args: { action: 'rerun', run: 1 },
        moves: { 'its attempt': set({ run_attempt: 2 }), 'its going on': set({ status: 'in_progress' }) },
        still: {
          // It is repeated at its own commit.
          'the branch': () => bench.github.write('staging', STAGING, 'on: push\njobs: {}\n'),
          'another run': () => bench.github.startRun('ci.yml', 'main'),
        },
      };
    },
  },
  {
    tool: 'github-api',
    what: 'a merge',
    relies: [/^head$/, /^base$/, /^method$/, /^reviews$/, /^checks$/],
    moves: ['the head', 'the base', 'a review', 'a check', 'the ways that the repository allows'],
    still: ['the commit of the base', 'another branch'],
    make: async () => {
      const bench = await github();
      const { number, sha } = await bench.ready();
      const change = (path: string, more: object) => () =>
        bench.parts.change.set(`GET ${path}`, (body) => ({ ...body, ...more }));
      return {
        bench,
        args: { action: 'pr-merge', number },
        moves: {
          'the head': () => bench.push('feature/login'),
          'the base': change(`${root}/pulls/${number}`, { base: { ref: 'main', repo: { full_name: 'acme/shop' } } }),
          'a review': () => bench.review(number, 'REQUEST_CHANGES'),
          'a check': () => bench.check(sha, 'lint', 'failure'),
          'the ways that the repository allows': change(root, { allow_merge_commit: false }),
        },
        still: {
          'the commit of the base': () => bench.github.write('develop', 'other.txt', 'x'),
          'another branch': () => bench.github.write('staging', 'a.txt', 'x'),
        },
      };
    },
  },
  {
    tool: 'github-api',
    what: 'a new pull request',
    relies: [/^branch:feature\/login$/],
    moves: ['the head', 'its being open already'],
    still: ['another branch'],
    make: async () => {
      const bench = await github();
      await bench.github.write('feature/login', 'a.txt', 'x');
      const args = {
        action: 'pr-create',
        title: 'Login',
        body: 'It adds a login.',
        head: 'feature/login',
        base: 'develop',
      };
      return {
        bench,
        args,
        moves: {
          'the head': () => bench.github.write('feature/login', 'a.txt', 'y'),
          'its being open already': () => bench.github.api('POST', `${root}/pulls`, { ...args, action: undefined }),
        },
        still: { 'another branch': () => bench.github.write('staging', 'a.txt', 'x') },
      };
    },
  },
];

const ID = '12345678-aaaa';
const SILENCE = {
  id: ID,
  status: { state: 'active' },
  matchers: [{ name: 'namespace', value: 'prod', isRegex: false, isEqual: true }],
  startsAt: '2026-01-01T00:00:00Z',
  endsAt: '2026-01-01T01:00:00Z',
  updatedAt: '2026-01-01T00:00:00Z',
  createdBy: 'bob',
  comment: 'upgrade',
};

async function alertmanager() {
  const upstream = await startUpstream();
  upstream.on('GET /api/v2/alerts', []);
  upstream.on(`GET /api/v2/silence/${ID}`, SILENCE);
  upstream.on('POST /api/v2/silences', { silenceID: ID });
  upstream.answers.set(`DELETE /api/v2/silence/${ID}`, { body: '' });
  const bench = holding(await monitoringBench(upstream, 'alertmanager'));
  onTestFinished(async () => {
    await bench.close();
    upstream.close();
  });
  return { bench, upstream };
}

const firing = {
  labels: { alertname: 'Slow', namespace: 'prod' },
  annotations: {},
  startsAt: '2026-01-01T00:00:00Z',
  status: { state: 'active', silencedBy: [], inhibitedBy: [] },
};

const ALERTS: Case[] = [
  {
    tool: 'alerts',
    what: 'a silence',
    relies: [],
    // It relies on what it names alone: on which Alertmanager it is made.
    moves: ['the Alertmanager'],
    still: ['what fires'],
    make: async () => {
      const { bench, upstream } = await alertmanager();
      return {
        bench,
        args: { action: 'silence', matchers: ['namespace=prod'], comment: 'upgrade' },
        moves: { 'the Alertmanager': () => void (bench.services.facts.monitoring.alertmanager = 'other.example') },
        still: { 'what fires': () => upstream.on('GET /api/v2/alerts', [firing]) },
      };
    },
  },
  {
    tool: 'alerts',
    what: 'the end of a silence',
    relies: [/^silence:/],
    moves: ['its matchers', 'its state', 'its being there'],
    still: ['its comment', 'its end', 'what fires'],
    make: async () => {
      const { bench, upstream } = await alertmanager();
      const set = (more: object) => () => upstream.on(`GET /api/v2/silence/${ID}`, { ...SILENCE, ...more });
      return {
        bench,
        args: { action: 'unsilence', id: ID },
        moves: {
          'its matchers': set({ matchers: [{ ...SILENCE.matchers[0], value: 'x' }] }),
          'its state': set({ status: { state: 'expired' } }),
          'its being there': () => upstream.on(`GET /api/v2/silence/${ID}`, {}, 404),
        },
        still: {
          'its comment': set({ comment: 'other' }),
          'its end': set({ endsAt: '2026-01-01T02:00:00Z' }),
          'what fires': () => upstream.on('GET /api/v2/alerts', [firing]),
        },
      };
    },
  },
];

const TASK: Case = {
  tool: 'tasks',
  what: 'a claim',
  relies: [/^task:T-1$/],
  moves: ['who has it', 'what it waits for'],
  still: ['its priority', 'another task'],
  make: async () => {
    const queue = await startTasks();
    onTestFinished(() => queue.close());
    const tasks = createTasks({ url: queue.url, key: KEY, limit: 2000 }, TASK_RANKING);
    const change = (id: string, to: Partial<QueueTask>) => () => {
      const task = queue.tasks.get(id);
      if (!task) throw new Error(`no task ${id}`);
      queue.tasks.set(id, { ...task, ...to });
    };
    return {
      bench: await heldBench({ tasks }, { tasks: { host: '127.0.0.1' } }),
      args: { action: 'claim', id: 'T-1' },
      moves: {
        'who has it': change('T-1', { status: 'claimed', assignee: 'somebody' }),
        'what it waits for': change('T-1', { blockedBy: [{ id: 'T-2', status: 'open' }] }),
      },
      still: { 'its priority': change('T-1', { priority: 'low' }), 'another task': change('T-2', { status: 'done' }) },
    };
  },
};

export const REMOTE_CASES: readonly Case[] = [DOCKER, PUSH, ...KUBERNETES, ...GITHUB, ...ALERTS, TASK];
