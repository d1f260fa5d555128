import { open, readFile } from 'node:fs/promises';

import { HoldpointError } from '../../core/errors.ts';
import type { CheckpointPlace } from '../checkpoints.ts';

/** A file that lines are added to, such as one that `chattr +a` or another owner keeps from being rewritten. */
export function filePlace(path: string): CheckpointPlace {
  return {
    name: `file ${path}`,
    async write(line) {
      const file = await open(path, 'a', 0o600);
      try {
        await file.appendFile(`${line}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
}

/** @throws HoldpointError `not_found`. */
export async function readFilePlace(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new HoldpointError('not_found', `The file ${path} cannot be read.`, {
      hint: 'Give a copy of the file that the server writes its checkpoints to.',
      cause,
    });
  }
}
