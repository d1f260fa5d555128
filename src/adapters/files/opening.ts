import { moved, type Descriptors } from './descriptors.ts';
import { createHandles, type Handles } from './handles.ts';
import type { FileFacts, FileHandle } from './port.ts';
import { withPlace, type Place } from './resolve.ts';

/** The one door to the workspace: a path is looked at and becomes a handle, and a handle opens what was looked at. */
export interface Opening {
  descriptors: Descriptors;
  handles: Handles;
  /** See FilesPort.look. */
  look: (path: string, decided?: { real: string }) => Promise<FileHandle>;
  /** The handle for a place that is open now. */
  handleOf(place: Place): FileHandle;
  /**
   * Opens the handle's place again, calls `use` with it, and closes it.
   *
   * @throws HoldpointError `stale` where its path leads elsewhere by now, or to another file.
   */
  open<T>(file: FileHandle, use: (place: Place) => Promise<T> | T): Promise<T>;
}

export function createOpening(descriptors: Descriptors): Opening {
  const handles = createHandles();
  const handleOf = (place: Place) => handles.handle(factsAt(place), entryOf(place), versionOf(place));
  return {
    descriptors,
    handles,
    handleOf,
    look: (path, decided) =>
      withPlace(descriptors, path, (place) => {
        if (decided && place.real !== decided.real) throw moved();
        return handleOf(place);
      }),
    open(file, use) {
      const entry = handles.entryOf(file);
      return withPlace(descriptors, file.path, (place) => {
        if (place.real !== file.real || entryOf(place) !== entry) throw moved();
        return use(place);
      });
    },
  };
}

function factsAt({ path, real, entry }: Place): FileFacts {
  if (!entry) return { path, real, type: 'missing', size: 0 };
  const { stat } = entry;
  if (stat.isDirectory()) return { path, real, type: 'folder', size: 0 };
  const executable = process.platform === 'win32' ? {} : { executable: (stat.mode & 0o100n) !== 0n };
  return { path, real, type: 'file', size: Number(stat.size), ...executable };
}

/** Tells the very entry; with when it was made, because file systems give the numbers of removed files to new ones. */
function entryOf({ entry }: Place): string | undefined {
  if (!entry) return undefined;
  const { dev, ino, birthtimeNs } = entry.stat;
  return `${dev}:${ino}:${birthtimeNs}:${entry.stat.isFile()}`;
}

/** Nothing changes a file without changing one of these. */
function versionOf({ entry }: Place): string | undefined {
  if (!entry) return undefined;
  const { dev, ino, size, mtimeNs, ctimeNs } = entry.stat;
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
