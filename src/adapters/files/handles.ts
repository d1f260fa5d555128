import { HoldpointError } from '../../core/errors.ts';
import type { BoundFile, FileFacts, FileHandle, FileIdentity } from './port.ts';

/** What a handle stands for beyond what it shows. */
interface Meant {
  /** Tells the very file or folder, such as device and inode; undefined where there was none. */
  entry: string | undefined;
  /** Another one whenever the content may be another one; undefined where there was none. */
  version: string | undefined;
  /** Its content, where the handle is good for changing it. */
  identity?: FileIdentity;
}

/** Handles of one workspace: only what was made here opens anything here. */
export interface Handles {
  handle(facts: FileFacts, entry: string | undefined, version: string | undefined): FileHandle;
  /** The same file, good for changing as long as it has this identity. */
  bind(file: FileHandle, identity: FileIdentity): BoundFile;
  entryOf(file: FileHandle): string | undefined;
  versionOf(file: FileHandle): string | undefined;
  identityOf(file: BoundFile): FileIdentity;
}

export function createHandles(): Handles {
  const made = new WeakMap<FileHandle, Meant>();

  function meant(file: FileHandle): Meant {
    const found = made.get(file);
    if (found) return found;
    throw new HoldpointError('internal', 'This is no handle of this workspace: look() and expect() make them.');
  }

  function make(facts: FileFacts, what: Meant): FileHandle {
    // Frozen: what policy decided on is what the handle goes on saying.
    const file = Object.freeze({ ...facts }) as FileHandle;
    made.set(file, what);
    return file;
  }

  return {
    handle: (facts, entry, version) => make(facts, { entry, version }),
    bind: (file, identity) => make(file, { ...meant(file), identity }) as BoundFile,
    entryOf: (file) => meant(file).entry,
    versionOf: (file) => meant(file).version,
    identityOf(file) {
      const { identity } = meant(file);
      if (identity) return identity;
      throw new HoldpointError('internal', `${file.path} was looked at, but nothing was expected of it: use expect().`);
    },
  };
}
