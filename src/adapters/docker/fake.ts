import { createHash } from 'node:crypto';

import { HoldpointError } from '../../core/errors.ts';
import type { EngineApi } from './api.ts';
import type { BuildRequest } from './build.ts';
import { createLooks } from './looks.ts';
import type { DockerPort } from './port.ts';

/** What one build was given. */
interface FakeBuild {
  request: Omit<BuildRequest, 'entries'>;
  /** Name → content of the context's files. */
  files: Record<string, string>;
}

/** An Engine in memory: it keeps tags and contexts, and neither builds nor pushes. */
export interface FakeDocker {
  port: DockerPort;
  /** Reference → image id. */
  images: Map<string, string>;
  builds: FakeBuild[];
  /** Path of the Engine's API → its answer, as JSON unless it is bytes; another path is `not_found`. */
  answers: Map<string, unknown>;
  /** What was asked for, with the query. */
  asked: { path: string; query: Record<string, string> }[];
  /** From now on every build and push fails with this, or none does (undefined). */
  failWith(message: string | undefined): void;
}

export function createFakeDocker(images: Readonly<Record<string, string>> = {}): FakeDocker {
  const store = new Map(Object.entries(images));
  const builds: FakeBuild[] = [];
  let failure: string | undefined;
  const answers = new Map<string, unknown>();
  const asked: FakeDocker['asked'] = [];
  const api: EngineApi = {
    async get(path, query) {
      asked.push({ path, query });
      const answer = answers.get(path);
      if (answer === undefined) throw new HoldpointError('not_found', `There is no ${path}.`);
      return Buffer.isBuffer(answer) ? answer : Buffer.from(JSON.stringify(answer));
    },
  };
  const imageId = async (reference: string) => store.get(reference) ?? null;
  return {
    images: store,
    builds,
    answers,
    asked,
    failWith(message) {
      failure = message;
    },
    port: {
      ...createLooks(api),
      async image(reference) {
        const id = store.get(reference);
        return id === undefined ? null : { id, bytes: 12_300_000, layers: 2 };
      },
      async push({ tag }, report) {
        if (failure !== undefined) throw new HoldpointError('upstream', failure, { hint: 'Push again.' });
        for (const done of [1, 2]) report({ message: 'a layer is pushed', done, total: 2 });
        return { digest: `sha256:${createHash('sha256').update(tag).digest('hex')}`, pushed: 2, existed: 0 };
      },
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
