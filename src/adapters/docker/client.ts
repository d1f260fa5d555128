import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import type { Readable } from 'node:stream';

import type Docker from 'dockerode';
import type { DockerOptions } from 'dockerode';

import { HoldpointError } from '../../core/errors.ts';
import { createEngineApi } from './api.ts';
import { buildQuery } from './build.ts';
import type { BuildRequest, BuildUpdate, BuiltImage } from './build.ts';
import { engineError } from './errors.ts';
import { createLooks } from './looks.ts';
import { readOutput } from './output.ts';
import type { BuildEvent } from './output.ts';
import type { Call, DockerPort, LocalImage } from './port.ts';
import { createPush } from './push.ts';
import type { RegistryAccount } from './push.ts';
import { readEvents } from './stream.ts';
import { packed } from './tar.ts';

export interface DockerSettings {
  /** As DOCKER_HOST: `unix:///path`, `tcp://host:port`; default Docker's own socket. */
  host?: string;
  /** Folder with ca.pem, cert.pem and key.pem, for a `tcp` Engine behind TLS. */
  certificates?: string;
  /** The operator's accounts, to push with. */
  registries?: readonly RegistryAccount[];
}

const DEFAULT_HOST = 'unix:///var/run/docker.sock';
/** Milliseconds for everything but a build. */
const TIMEOUT = 10_000;
/** For what the caller can do without. */
const SHORT_TIMEOUT = 2000;

const REFERENCE = /^[a-zA-Z0-9][a-zA-Z0-9._/:@-]*$/;

/** A Docker Engine through the vendor's client, which is loaded at first use. */
export function createDocker(settings: DockerSettings = {}): DockerPort {
  const host = settings.host ?? DEFAULT_HOST;
  let made: Promise<Docker> | undefined;
  const connect = () => {
    made ??= connection(host, settings.certificates).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };

  async function image(reference: string, call: Call, timeout = TIMEOUT): Promise<LocalImage | null> {
    // The vendor puts the name into the path as it is.
    if (!REFERENCE.test(reference) || reference.includes('..')) return null;
    const docker = await connect();
    try {
      const { Id, Size, RootFS } = await within(docker.getImage(reference).inspect(), timeout, call.signal);
      return { id: Id, bytes: Size, layers: RootFS?.Layers?.length ?? null };
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw engineError(host, error, call.signal);
    }
  }

  return {
    ...createLooks(createEngineApi(host, connect)),
    image: (reference, call) => image(reference, call),
    imageId: async (reference, call) => (await image(reference, call))?.id ?? null,
    imageIdIfReachable: async (reference, call) =>
      (await image(reference, call, SHORT_TIMEOUT).catch(() => null))?.id ?? null,
    push: createPush(host, connect, settings.registries ?? []),

    async build(request, report, call) {
      // A client of its own, so that its session can be ended with it.
      const docker = await connection(host, settings.certificates);
      const started = performance.now();
      const builder = await bestBuilder(docker, call).catch((error: unknown) => {
        throw engineError(host, error, call.signal);
      });
      const { id, steps, cached } = await built(docker, builder, request, report, call).catch((error: unknown) => {
        throw engineError(host, error, call.signal);
      });
      const image = await within(docker.getImage(id).inspect(), TIMEOUT, call.signal).catch((error: unknown) => {
        throw engineError(host, error, call.signal);
      });
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      return { id: image.Id, bytes: image.Size, seconds, steps, cached, builder } satisfies BuiltImage;
    },
  };
}

async function built(
  docker: Docker,
  builder: BuiltImage['builder'],
  request: BuildRequest,
  report: (update: BuildUpdate) => void,
  call: Call,
) {
  const context = packed(request.entries);
  // What goes wrong while the files are read ends the request: the Engine never builds half a context.
  const { promise: broken, reject } = Promise.withResolvers<never>();
  context.once('error', reject);
  broken.catch(() => {});
  const endSession = sessionOf(docker);
  const query = { ...buildQuery(request), version: builder === 'buildkit' ? '2' : '1', abortSignal: call.signal };
  try {
    // Its type has one tag; the Engine takes several, and the vendor sends them.
    const stream = await Promise.race([
      docker.buildImage(context, query as unknown as Docker.ImageBuildOptions),
      broken,
    ]);
    const output = readOutput(report);
    await Promise.race([
      readEvents(addAbortSignal(call.signal, stream as Readable), (event) => output.take(event as BuildEvent)),
      broken,
    ]);
    return output.end();
  } finally {
    context.destroy();
    endSession();
  }
}

/** The vendor opens a session for BuildKit beside the build and closes it only after one that ends by itself. */
function sessionOf(docker: Docker): () => void {
  const modem = docker.modem as {
    dial(options: { path: string }, done: (error: unknown, socket?: Socket) => void): void;
  };
  const dial = modem.dial.bind(modem);
  let session: Socket | undefined;
  modem.dial = (options, done) =>
    dial(options, (error, answer) => {
      if (options.path.endsWith('/session')) session = answer;
      done(error, answer);
    });
  return () => session?.destroy();
}

/** BuildKit is in every Linux Engine since 18.09 (API 1.39); Windows Engines have the classic builder. */
async function bestBuilder(docker: Docker, call: Call): Promise<BuiltImage['builder']> {
  const { ApiVersion, Os } = await within(docker.version(), TIMEOUT, call.signal);
  const [major = 0, minor = 0] = ApiVersion.split('.').map(Number);
  return Os === 'linux' && (major > 1 || (major === 1 && minor >= 39)) ? 'buildkit' : 'classic';
}

async function connection(host: string, certificates: string | undefined): Promise<Docker> {
  const { default: Client } = await import('dockerode');
  // Every field is set, for the vendor takes what is missing from the environment.
  const unset = {
    host: undefined,
    port: undefined,
    socketPath: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    protocol: 'http' as const,
  };
  return new Client({ ...unset, ...(await endpoint(host, certificates)) });
}

async function endpoint(host: string, certificates: string | undefined): Promise<DockerOptions> {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  if (host.startsWith('/')) return { socketPath: host };
  const url = URL.canParse(host) ? new URL(host) : undefined;
  if (url?.protocol !== 'tcp:' || url.username !== '' || url.password !== '') {
    throw new HoldpointError('unavailable', 'The address of the Docker Engine cannot be used.', {
      hint: 'The operator sets DOCKER_HOST to unix:///path/docker.sock or tcp://host:port; an Engine behind SSH needs a forwarded socket.',
    });
  }
  const base = { host: url.hostname, port: Number(url.port || (certificates === undefined ? 2375 : 2376)) };
  if (certificates === undefined) return base;
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((file) => readFile(join(certificates, file), 'utf8')),
  );
  return {
    ...base,
    protocol: 'https',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

/** The work's outcome, or a rejection when the time is over or the call is cancelled. */
async function within<T>(work: Promise<T>, milliseconds: number, cancelled: AbortSignal): Promise<T> {
  const signal = AbortSignal.any([cancelled, AbortSignal.timeout(milliseconds)]);
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(signal.reason as Error);
  signal.addEventListener('abort', give, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', give);
  }
}
