import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** The real servers that `scripts/live/up` started; what is not up is undefined, and its tests are skipped by name. */
export interface LiveServers {
  kubeconfig: string | undefined;
  dockerHost: string | undefined;
}

const SCRIPTS = resolve(import.meta.dirname, '../../scripts/live');

export function liveServers(): LiveServers {
  const file = join(process.env['HOLDPOINT_LIVE'] ?? '/run/holdpoint-live', 'env');
  const lines = readLines(file).map((line) => line.split(/=(.*)/s));
  const found = Object.fromEntries(lines.map(([name = '', value = '']) => [name, value]));
  return { kubeconfig: found['KUBECONFIG'], dockerHost: found['DOCKER_HOST'] };
}

/** Makes the image `docker.io/local/NAME:TAG` for pods: a web server that answers `text` on 8080. */
export async function podImage(name: string, text: string): Promise<void> {
  await promisify(execFile)(join(SCRIPTS, 'kubernetes'), ['image', name, text]);
}

/** Makes a busybox image in the Engine, for `FROM`. */
export async function baseImage(name: string): Promise<void> {
  await promisify(execFile)(join(SCRIPTS, 'docker'), ['image', name]);
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
