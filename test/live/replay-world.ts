import { execFile } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { AppsV1Api, CoreV1Api, KubeConfig, KubernetesObjectApi } from '@kubernetes/client-node';
import type { KubernetesObject } from '@kubernetes/client-node';
import Docker from 'dockerode';
import { expect } from 'vitest';
import { parseAllDocuments } from 'yaml';

import type { Envelope } from '../../src/core/envelope.ts';
import { startGitHub, type GitHubServer } from '../github-server.ts';
import {
  approveTicking,
  holdpoint,
  newPlace,
  overStdio,
  ROOT,
  serverArgs,
  type Agent,
  type Place,
} from '../harness.ts';
import { liveServers } from './servers.ts';

export const live = liveServers();
/** Whether everything is up that a replay works on. */
export const ready = Object.values(live).every((place) => place !== undefined);
/** Of this run alone, as all that follows: the images' repository, so that a node has none of them from another run. */
const FOLDER = `replay-${process.pid}`;
export const REPOSITORY = `${live.registry}/${FOLDER}`;
export const STAGING = `tta-staging-${process.pid}`;
export const PRODUCTION = `tta-prod-${process.pid}`;
/** A port of this machine, for what Compose publishes. */
export const HOST_PORT = 20_000 + (process.pid % 10_000);
/** What stands in for `python:3.12-slim`, which no registry here could give. */
export const BASE_IMAGE = 'local/python:3-slim';
const REDIS = 'redis:7.2-alpine';
const STAND_INS = { [REDIS]: 'redis', 'neo4j:5.18-community': 'neo4j' };

const run = promisify(execFile);

/** A document of fixtures/replay, with this run's namespaces and registry in place of the seeds' names. */
export function written(path: string): string {
  return readFileSync(join(ROOT, 'fixtures/replay', path), 'utf8')
    .replaceAll(/\btta-staging\b/g, STAGING)
    .replaceAll(/\btta-prod\b/g, PRODUCTION)
    .replaceAll('registry.tta.dev', REPOSITORY)
    .replaceAll('HOSTPORT', String(HOST_PORT));
}

/**
 * One replay's surroundings: the agent, on a real MCP client, and beside it what a person does and what the test looks at
 * by itself, none of which goes through Holdpoint.
 */
export interface World {
  place: Place;
  github: GitHubServer;
  remote: string;
  agent: Agent;
  cluster: { apps: AppsV1Api; core: CoreV1Api };
  engine: Docker;
  /** The result of a call that runs at once. */
  done: (tool: string, args: Record<string, unknown>) => Promise<Record<string, unknown>>;
  /** The id of the request that a call comes back as. */
  held: (tool: string, args: Record<string, unknown>) => Promise<string>;
  /** The refusal of a call. */
  denied: (tool: string, args: Record<string, unknown>) => Promise<NonNullable<Envelope['error']>>;
  /** A person's signature, with the checklist ticked, on the command line. */
  approve: (id: string) => Promise<void>;
  runApproved: (id: string) => Promise<Record<string, unknown>>;
  git: (...args: string[]) => Promise<string>;
  docker: (...args: string[]) => Promise<string>;
  compose: (...args: string[]) => Promise<string>;
  /** A person pushes an image: what is there before the agent comes. */
  push: (image: string) => Promise<void>;
  /** The agent pushes an image to this machine's registry, which is development; what the tool says of it. */
  pushed: (image: string) => Promise<Record<string, unknown>>;
  /** A person makes what manifests describe: no tool does it yet. */
  create: (manifests: string) => Promise<void>;
  /** The one image of tta-api's pod template. */
  imageOf: (namespace: string) => Promise<string>;
  /** Spec and generation of tta-api, to be the same before and after what must change nothing. */
  stateOf: (namespace: string) => Promise<unknown>;
  nodePort: (namespace: string) => Promise<number>;
  /** Waits until all of tta-api's pods are those of its template, and available. */
  rolledOut: (namespace: string) => Promise<void>;
  /** Waits until the nodes report the digest behind a tag: some half a minute after a pull, and a request for the tag is stale then. */
  reported: (image: string) => Promise<void>;
  /** Waits until tta-api answers with this version alone; kube-proxy and pods that end have clocks of their own. */
  serves: (namespace: string, version: string) => Promise<void>;
  close: () => Promise<void>;
}

/**
 * The sample workspace as a repository with a bare remote and its branch main in the emulated GitHub, an approver, and the
 * agent as this persona.
 *
 * @param without files of the sample workspace that are not there yet, because the agent is to write them.
 * @param env beside the servers' addresses, or in place of them.
 */
export async function startWorld(
  persona: string,
  without: string[] = [],
  env: Record<string, string> = {},
): Promise<World> {
  const github = await startGitHub({});
  const place = newPlace({
    KUBECONFIG: live.kubeconfig ?? '',
    DOCKER_HOST: live.dockerHost ?? '',
    PROMETHEUS_URL: live.prometheus ?? '',
    ALERTMANAGER_URL: live.alertmanager ?? '',
    GITHUB_API_URL: github.url,
    GH_TOKEN: github.token,
    GITHUB_REPOSITORY: github.repository,
    ...env,
  });
  cpSync(join(ROOT, 'fixtures/replay/app'), place.workspace, { recursive: true });
  // The API tells its version, so that what runs can be told by asking it.
  const dockerfile = join(place.workspace, 'docker/Dockerfile');
  const environment = 'ENVIRONMENT=development';
  const told = `${environment} \\\n    APP_VERSION=\${VERSION}`;
  writeFileSync(
    dockerfile,
    readFileSync(dockerfile, 'utf8').replace(environment, () => told),
  );
  for (const path of without) rmSync(join(place.workspace, path));
  const remote = join(place.workspace, '..', 'shop.git');
  const person = async (program: string, args: string[], more: Record<string, string> = {}) =>
    (await run(program, args, { cwd: place.workspace, env: { ...place.env, ...more } })).stdout.trim();
  const git = (...args: string[]) => person('git', args);
  await git('init', '--quiet', '--bare', remote);
  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'Ann');
  await git('config', 'user.email', 'ann@example.com');
  await git('add', '--all', '--force');
  await git('rm', '--quiet', '--cached', '-r', '.env', 'secrets');
  await git('commit', '--quiet', '--message', 'Start');
  await git('remote', 'add', 'origin', remote);
  await git('push', '--quiet', 'origin', 'main');
  await github.mirror(remote, 'main');
  expect((await holdpoint(place, 'approver', 'add', 'alice')).code).toBe(0);

  const config = new KubeConfig();
  config.loadFromFile(live.kubeconfig ?? '');
  const apps = config.makeApiClient(AppsV1Api);
  const core = config.makeApiClient(CoreV1Api);
  const objects = KubernetesObjectApi.makeApiClient(config);
  const engine = new Docker({ socketPath: (live.dockerHost ?? '').replace(/^unix:\/\//, '') });
  const agent = await overStdio('2.x', place, serverArgs(place, ['--stdio', '--persona', persona]));
  const deployment = (namespace: string) => apps.readNamespacedDeployment({ namespace, name: 'tta-api' });

  const world: World = {
    place,
    github,
    remote,
    agent,
    cluster: { apps, core },
    engine,
    async done(tool, args) {
      const { envelope, text: said } = await agent.call(tool, args);
      expect(envelope, said).toMatchObject({ status: 'done' });
      return envelope.result ?? {};
    },
    async held(tool, args) {
      const { envelope, isError, text: said } = await agent.call(tool, args);
      expect({ isError, status: envelope.status }, said).toEqual({ isError: false, status: 'approval_required' });
      return envelope.approval?.id ?? '';
    },
    async denied(tool, args) {
      const { envelope, text: said } = await agent.call(tool, args);
      expect(envelope, said).toMatchObject({ status: 'denied', error: { code: 'denied' } });
      return envelope.error ?? expect.fail('a denial has its reason');
    },
    async approve(id) {
      const { code, stderr } = await approveTicking(place, id, '--as', 'alice', '--reason', 'agreed');
      expect(code, stderr).toBe(0);
    },
    runApproved: (id) => world.done('approval', { action: 'run', id }),
    git,
    docker: (...args) => person('docker', args, { DOCKER_BUILDKIT: '0' }),
    compose: (...args) => person('docker-compose', args),
    push: async (image) => void (await world.docker('push', '--quiet', image)),
    pushed: (image) => world.done('use-tool', { name: 'docker-push', arguments: { image } }),
    async create(manifests) {
      for (const document of parseAllDocuments(manifests)) await objects.create(document.toJS() as KubernetesObject);
    },
    imageOf: async (namespace) => (await deployment(namespace)).spec?.template.spec?.containers[0]?.image ?? '',
    async stateOf(namespace) {
      const { metadata, spec } = await deployment(namespace);
      return { uid: metadata?.uid, generation: metadata?.generation, spec };
    },
    async nodePort(namespace) {
      const { spec } = await core.readNamespacedService({ namespace, name: 'tta-api' });
      return spec?.ports?.[0]?.nodePort ?? 0;
    },
    async rolledOut(namespace) {
      await until(
        () => deployment(namespace),
        ({ metadata, spec, status }) =>
          status?.observedGeneration === metadata?.generation &&
          [status?.updatedReplicas, status?.availableReplicas, status?.replicas].every((n) => n === spec?.replicas),
      );
    },
    async reported(image) {
      const [repository = ''] = image.split(/:(?=[^/]*$)/);
      await until(
        () => core.listNode(),
        ({ items }) =>
          items
            .flatMap(({ status }) => status?.images ?? [])
            .some(({ names = [] }) => names.includes(image) && names.some((name) => name.startsWith(`${repository}@`))),
      );
    },
    async serves(namespace, version) {
      const port = await world.nodePort(namespace);
      const says = JSON.stringify({ version }).slice(1, -1).replace(':', ': ');
      const { spec } = await deployment(namespace);
      const pods = () => core.listNamespacedPod({ namespace, labelSelector: 'app=tta-api' });
      await until(pods, ({ items }) => items.length === spec?.replicas);
      const four = () => Promise.all([1, 2, 3, 4].map(() => get(port, '/health')));
      await until(four, (answers) => answers.every((answer) => answer?.status === 200 && answer.body.includes(says)));
    },
    async close() {
      await agent.close();
      await github.close();
      for (const name of [STAGING, PRODUCTION])
        await core.deleteNamespace({ name, gracePeriodSeconds: 0 }).catch(() => undefined);
      place.remove();
    },
  };
  return world;
}

/**
 * What a namespace has before the agent comes: itself, a Redis, and the secret with its address, which is no name because
 * this cluster has no DNS.
 */
export async function prepareNamespace(world: World, namespace: string): Promise<void> {
  await world.docker('tag', REDIS, `${REPOSITORY}/${REDIS}`);
  await world.push(`${REPOSITORY}/${REDIS}`);
  await world.create(written('database.yaml').replaceAll(PRODUCTION, namespace));
  const { spec } = await world.cluster.core.readNamespacedService({ namespace, name: 'redis' });
  const stringData = { 'redis-url': `redis://${spec?.clusterIP}:6379` };
  await world.cluster.core.createNamespacedSecret({
    namespace,
    body: { metadata: { name: 'tta-secrets' }, stringData },
  });
}

/** tta-api of one version, as a person builds it and pushes it before the replay. */
export async function pushedVersion(world: World, version: string): Promise<void> {
  const image = `${REPOSITORY}/tta-api:${version}`;
  const args = Object.entries({ BASE_IMAGE, VERSION: version }).map(([name, value]) => `--build-arg=${name}=${value}`);
  await world.docker('build', '--quiet', '--file=docker/Dockerfile', ...args, '--tag', image, '.');
  await world.push(image);
}

/** The digest of a tag of tta-api as the registry has it, or undefined where it has no such tag. */
export async function inRegistry(tag: string): Promise<string | undefined> {
  const accept = 'application/vnd.docker.distribution.manifest.v2+json';
  const url = `http://${live.registry}/v2/${FOLDER}/tta-api/manifests/${tag}`;
  const answer = await fetch(url, { method: 'HEAD', headers: { accept } });
  return answer.ok ? (answer.headers.get('docker-content-digest') ?? undefined) : undefined;
}

/** The images that the replays start from, made in the Engine where they are not there: there is nothing to pull them from. */
export async function standIns({ docker }: World): Promise<void> {
  const script = join(ROOT, 'scripts/live/docker');
  const known = new Set((await docker('images', '--format', '{{.Repository}}:{{.Tag}}')).split('\n'));
  if (!known.has(BASE_IMAGE)) await run(script, ['python-image', BASE_IMAGE]);
  if (!known.has('local/replay-base:1')) await run(script, ['image', 'local/replay-base:1']);
  for (const [tag, folder] of Object.entries(STAND_INS))
    await docker('build', '--quiet', '--tag', tag, join(ROOT, 'fixtures/replay/stand-ins', folder));
}

/** One GET by the test itself; the answer, or undefined while nothing answers. */
export async function get(port: number, path: string): Promise<{ status: number; body: string } | undefined> {
  return new Promise((found) => {
    const asked = request({ host: '127.0.0.1', port, path, agent: false, timeout: 2000 }, (answer) => {
      void text(answer).then(
        (body) => found({ status: answer.statusCode ?? 0, body }),
        () => found(undefined),
      );
    });
    asked.once('error', () => found(undefined));
    asked.once('timeout', () => asked.destroy());
    asked.end();
  });
}

/** The first answer that `is` so; servers have clocks of their own. */
export async function until<T>(ask: () => Promise<T>, is: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (is(answer)) return answer;
    await sleep(250);
  }
}
