import type { BoundFile, Change, FilesPort } from '../adapters/files/port.ts';
import type { EditRecord } from '../adapters/memory/edits.ts';
import type { Call, Services } from './services.ts';

/**
 * The files port for one run: each change that was made is recorded, with who made it through which tool. A change that cannot
 * be recorded is made all the same, and the log says so.
 */
export function recordedFiles(
  files: FilesPort,
  tool: string,
  { id, principal }: Call,
  { edits, log }: Pick<Services, 'edits' | 'log'>,
): FilesPort {
  async function recorded(file: BoundFile, change: Change, did: EditRecord['did']): Promise<Change> {
    const { agent, person } = principal;
    const edit = { path: file.real, did, bytes: change.after, tool, agent, person, call: id, undo: change.undo };
    await edits
      .record(edit)
      .catch((err: unknown) => log('warn', { callId: id, undo: change.undo, err }, 'an edit could not be recorded'));
    return change;
  }
  return {
    ...files,
    write: async (file, bytes) =>
      recorded(file, await files.write(file, bytes), file.type === 'missing' ? 'created' : 'changed'),
    remove: async (file) => recorded(file, await files.remove(file), 'removed'),
  };
}
