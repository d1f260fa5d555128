import type { Readable } from 'node:stream';

import { pack } from 'tar-stream';

import type { BuildEntry } from './build.ts';

/** The same for every build, so that the Engine's cache sees the same files in the same context. */
const MTIME = new Date(0);

/** Entries as a tar stream. It fails with what reading them threw, before its end. */
export function packed(entries: AsyncIterable<BuildEntry>): Readable {
  const tar = pack();
  const { promise: closed, reject: close } = Promise.withResolvers<never>();
  tar.once('close', () => close(new Error('The tar stream was closed.')));
  closed.catch(() => {});
  void (async () => {
    try {
      for await (const { name, type, mode, bytes } of entries) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const written = (error?: Error | null) => (error ? reject(error) : resolve());
        if (type === 'folder') tar.entry({ name, mode, mtime: MTIME, type: 'directory' }, written);
        else tar.entry({ name, mode, mtime: MTIME, type: 'file' }, Buffer.from(bytes), written);
        await Promise.race([promise, closed]);
      }
      tar.finalize();
    } catch (error) {
      tar.destroy(error as Error);
    }
  })();
  // A stream like Node's own; its types describe an older one.
  return tar as unknown as Readable;
}
