import { closeSync, constants, read as readAt } from 'node:fs';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';

import type { Descriptors, Entry } from './descriptors.ts';

const read = promisify(readAt);
const CHUNK = 1_048_576;

/** Bytes of an open file from `offset` on, at most `maxBytes`; fewer where it ends. */
export async function readBytes(
  descriptors: Descriptors,
  entry: Entry,
  { maxBytes, offset = 0 }: { maxBytes: number; offset?: number },
): Promise<Buffer> {
  const fd = descriptors.reopen(entry, constants.O_RDONLY);
  try {
    const room = Math.max(0, Math.min(maxBytes, Number(entry.stat.size) - offset));
    const bytes = Buffer.alloc(room);
    let filled = 0;
    while (filled < room) {
      const { bytesRead } = await read(fd, bytes, filled, room - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}

/** SHA-256 of an open file's bytes, in hex, whatever its size. */
export async function hashOf(descriptors: Descriptors, entry: Entry): Promise<string> {
  const hash = createHash('sha256');
  const fd = descriptors.reopen(entry, constants.O_RDONLY);
  try {
    const bytes = Buffer.alloc(Math.min(CHUNK, Math.max(1, Number(entry.stat.size))));
    for (let offset = 0; ;) {
      const { bytesRead } = await read(fd, bytes, 0, bytes.length, offset);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(bytes.subarray(0, bytesRead));
      offset += bytesRead;
    }
  } finally {
    closeSync(fd);
  }
}
