import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** The real servers that `scripts/live/up` started; what is not up is undefined, and its tests are skipped by name. */
export interface LiveServers {
  kubeconfig: string | undefined;
  dockerHost: string | undefined;
  /** HOST:PORT of the image registry, without TLS. */
  registry: string | undefined;
  /** Addresses of monitoring; `grafana` is what only has the shapes of Grafana's API. */
  prometheus: string | undefined;
  alertmanager: string | undefined;
  pushgateway: string | undefined;
  grafana: string | undefined;
  /** The folder with other MCP servers, installed from npm. */
  upstreams: string | undefined;
}

const SCRIPTS = resolve(import.meta.dirname, '../../scripts/live');

export function liveServers(): LiveServers {
  const file = join(process.env['HOLDPOINT_LIVE'] ?? '/run/holdpoint-live', 'env');
  const lines = readLines(file).map((line) => line.split(/=(.*)/s));
  const found = Object.fromEntries(lines.map(([name = '', value = '']) => [name, value]));
  return {
    kubeconfig: found['KUBECONFIG'],
    dockerHost: found['DOCKER_HOST'],
    registry: found['REGISTRY'],
    prometheus: found['PROMETHEUS_URL'],
    alertmanager: found['ALERTMANAGER_URL'],
    pushgateway: found['PUSHGATEWAY_URL'],
    grafana: found['GRAFANA_URL'],
    upstreams: found['UPSTREAMS'],
  };
}

/** Makes the image `docker.io/local/NAME:TAG` for pods: a web server that answers `text` on 8080. */
export async function podImage(name: string, text: string): Promise<void> {
  await promisify(execFile)(join(SCRIPTS, 'kubernetes'), ['image', name, text]);
}

/** Makes a busybox image in the Engine, for `FROM`. */
export async function baseImage(name: string): Promise<void> {
  await promisify(execFile)(join(SCRIPTS, 'docker'), ['image', name]);
}

/** Makes a stand-in for Docker's `node` image in the Engine. */
export async function nodeImage(name: string): Promise<void> {
  await promisify(execFile)(join(SCRIPTS, 'docker'), ['node-image', name]);
}

/** Makes `to` another name of the Engine's image `from`, moving it where it is there already. */
export async function dockerTag(from: string, to: string): Promise<void> {
  const { default: Docker } = await import('dockerode');
  const engine = new Docker({ socketPath: (liveServers().dockerHost ?? '').replace(/^unix:\/\//, '') });
  const [repo = '', tag = ''] = to.split(':');
  await engine.getImage(from).tag({ repo, tag });
}

/** Applies the namespace and a Deployment of a pod image, and waits until it is rolled out. */
export async function app(namespace: string, name: string, image: string, replicas: number): Promise<void> {
  await promisify(execFile)(join(SCRIPTS, 'kubernetes'), ['app', namespace, name, image, String(replicas)]);
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
