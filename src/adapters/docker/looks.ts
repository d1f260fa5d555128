import type { ContainerInfo, ContainerInspectInfo, ContainerStats, ImageInfo } from 'dockerode';

import { HoldpointError } from '../../core/errors.ts';
import type { Bounds, EngineApi } from './api.ts';
import { readContainer } from './containers.ts';
import type { Container } from './containers.ts';
import type { DiskUse } from './disk.ts';
import { readEvents } from './events.ts';
import type { EngineEvent } from './events.ts';
import { readImage } from './images.ts';
import type { Image } from './images.ts';
import { logLines } from './logs.ts';
import type { Call } from './port.ts';

/** What can be seen of an Engine. Ids are the Engine's own, as the lists give them. `not_found` for what went away. */
export interface DockerLooks {
  /** All, stopped ones too; newest first. */
  containers(call: Call): Promise<Container[]>;
  /** Newest first. */
  imageList(call: Call): Promise<Image[]>;
  inspect(id: string, call: Call): Promise<ContainerInspectInfo>;
  /** In the order of the ids; undefined for one that went away since it was listed. */
  inspectAll(ids: readonly string[], call: Call): Promise<(ContainerInspectInfo | undefined)[]>;
  /** The last lines, of both streams; where `lookBack` is given, of so many seconds. */
  logs(container: ContainerInspectInfo, lines: number, lookBack: number | null, call: Call): Promise<string[]>;
  /** As inspectAll. Takes a second or two: the Engine measures twice. */
  statsOf(ids: readonly string[], call: Call): Promise<(ContainerStats | undefined)[]>;
  /** What happened in the last `lookBack` seconds to containers and images, or to one; oldest first. */
  events(
    about: { kind: 'container' | 'image'; id: string } | null,
    lookBack: number,
    call: Call,
  ): Promise<EngineEvent[]>;
  disk(call: Call): Promise<DiskUse>;
}

/** The Engine adds up what it has on the disk for it. */
const DISK_TIMEOUT = 60_000;
/** From 1.52 the answer of `/system/df` has another shape; 1.44 and later is what Engines from 25 to 29 all have. */
const LAST_DISK_API = 51;

export function createLooks(api: EngineApi): DockerLooks {
  async function json<T>(path: string, query: Record<string, string>, call: Call, bounds?: Bounds): Promise<T> {
    const bytes = await api.get(path, query, call, bounds);
    try {
      return JSON.parse(bytes.toString('utf8')) as T;
    } catch (error) {
      throw new HoldpointError('upstream', `The Docker Engine's answer to ${path} is no JSON.`, {
        hint: 'Check that DOCKER_HOST is the address of a Docker Engine.',
        cause: error,
      });
    }
  }

  /** Seconds since 1970 on the Engine's clock: a window that ends in its future would keep the answer open. */
  async function engineTime(call: Call): Promise<number> {
    const { SystemTime } = await json<{ SystemTime: string }>('/info', {}, call);
    return Date.parse(SystemTime) / 1000;
  }

  return {
    containers: async (call) =>
      (await json<ContainerInfo[]>('/containers/json', { all: '1' }, call)).map(readContainer),
    imageList: async (call) => (await json<ImageInfo[]>('/images/json', {}, call)).map(readImage),
    inspect: (id, call) => json(`/containers/${id}/json`, {}, call),
    inspectAll: (ids, call) =>
      Promise.all(ids.map((id) => unlessGone(json<ContainerInspectInfo>(`/containers/${id}/json`, {}, call)))),
    async logs({ Id, Config }, lines, lookBack, call) {
      const since = lookBack === null ? {} : { since: String(Math.floor((await engineTime(call)) - lookBack)) };
      const query = { stdout: '1', stderr: '1', tail: String(lines), ...since };
      return logLines(await api.get(`/containers/${Id}/logs`, query, call), Config.Tty);
    },
    statsOf: (ids, call) =>
      Promise.all(ids.map((id) => unlessGone(json<ContainerStats>(`/containers/${id}/stats`, { stream: '0' }, call)))),
    async events(about, lookBack, call) {
      const now = await engineTime(call);
      const filters = about ? { [about.kind]: [about.id] } : { type: ['container', 'image'] };
      const query = { since: (now - lookBack).toFixed(3), until: now.toFixed(3), filters: JSON.stringify(filters) };
      return readEvents(await api.get('/events', query, call));
    },
    async disk(call) {
      const { ApiVersion } = await json<{ ApiVersion: string }>('/version', {}, call);
      const minor = Math.min(LAST_DISK_API, Number(/^1\.(\d+)$/.exec(ApiVersion)?.[1] ?? LAST_DISK_API));
      return json(`/v1.${minor}/system/df`, {}, call, { timeout: DISK_TIMEOUT });
    },
  };
}

async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'not_found') return undefined;
    throw error;
  }
}
