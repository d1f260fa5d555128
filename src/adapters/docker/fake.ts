import { createHash } from 'node:crypto';

import { HoldpointError } from '../../core/errors.ts';
import type { BuildRequest } from './build.ts';
import type { DockerPort } from './port.ts';

/** What one build was given. */
interface FakeBuild {
  request: Omit<BuildRequest, 'entries'>;
  /** Name → content of the context's files. */
  files: Record<string, string>;
}

/** An Engine in memory: it keeps tags and contexts, and builds nothing. */
export interface FakeDocker {
  port: DockerPort;
  /** Reference → image id. */
  images: Map<string, string>;
  builds: FakeBuild[];
  /** From now on every build fails with this, or none does (undefined). */
  failWith(message: string | undefined): void;
}

export function createFakeDocker(images: Readonly<Record<string, string>> = {}): FakeDocker {
  const store = new Map(Object.entries(images));
  const builds: FakeBuild[] = [];
  let failure: string | undefined;
  const imageId = async (reference: string) => store.get(reference) ?? null;
  return {
    images: store,
    builds,
    failWith(message) {
      failure = message;
    },
    port: {
      imageId,
      imageIdIfReachable: imageId,
      async build({ entries, ...request }, report, call) {
        const files: Record<string, string> = {};
        for await (const { name, type, bytes } of entries) {
          call.signal.throwIfAborted();
          if (type === 'file') files[name] = Buffer.from(bytes).toString('utf8');
        }
        if (failure !== undefined) throw new HoldpointError('upstream', failure, { hint: 'Correct the Dockerfile.' });
        const steps = (files[request.dockerfile] ?? '').split('\n').filter((line) => /^[A-Z]+ /.test(line));
        for (const [index, step] of steps.entries()) report({ message: step, done: index + 1, total: steps.length });
        const id = `sha256:${createHash('sha256')
          .update(JSON.stringify([request, files]))
          .digest('hex')}`;
        for (const tag of request.tags) store.set(tag, id);
        builds.push({ request, files });
        return { id, bytes: 12_300_000, seconds: 1.5, steps: steps.length, cached: 0, builder: 'buildkit' };
      },
    },
  };
}
