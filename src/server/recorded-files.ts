import type { BoundFile, Change, FilesPort } from '../adapters/files/port.ts';
import { memoryName } from '../adapters/memory/port.ts';
import type { EditRecord } from '../adapters/memory/port.ts';
import type { Call, Services } from './services.ts';

/** The files port of one run, and what ends it. */
interface RecordedFiles {
  files: FilesPort;
  /** Records what was changed. Not before the run has ended: it may hold the store, which the records go to. */
  record(): Promise<void>;
}

/**
 * The files port for one run: each change that was made is recorded, with who made it through which tool. A change that cannot
 * be recorded is made all the same, and the log says so. Memories, which several servers write, are changed one at a time.
 */
export function recordedFiles(
  files: FilesPort,
  tool: string,
  { id, principal }: Call,
  { edits, log }: Pick<Services, 'edits' | 'log'>,
): RecordedFiles {
  const made: Omit<EditRecord, 'at'>[] = [];
  const { agent, person } = principal;
  const unrecorded = (err: unknown) => log('warn', { callId: id, err }, 'an edit could not be recorded');
  async function recorded(file: BoundFile, did: EditRecord['did'], make: () => Promise<Change>): Promise<Change> {
    const said = ({ after: bytes, undo }: Change) => ({
      path: file.real,
      did,
      bytes,
      tool,
      agent,
      person,
      call: id,
      undo,
    });
    if (memoryName(file.real) !== undefined) return edits.alone(make, said, unrecorded);
    const change = await make();
    made.push(said(change));
    return change;
  }
  return {
    files: {
      ...files,
      write: (file, bytes) =>
        recorded(file, file.type === 'missing' ? 'created' : 'changed', () => files.write(file, bytes)),
      remove: (file) => recorded(file, 'removed', () => files.remove(file)),
    },
    async record() {
      for (const edit of made) await edits.record(edit).catch(unrecorded);
    },
  };
}
