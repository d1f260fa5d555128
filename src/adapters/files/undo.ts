import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { HoldpointError } from '../../core/errors.ts';
import { createPruning, UNDO_LIMITS, type UndoLimits } from './pruning.ts';

const ID = /^undo-\d{8}T\d{9}-[0-9a-f]{8}$/;
const NONCE = 12;
const TAG = 16;

const record = z.strictObject({
  id: z.string().regex(ID),
  /** ISO 8601, UTC. */
  at: z.string(),
  /** The workspace's own path, without links. */
  workspace: z.string(),
  /** The real path, from the workspace. */
  path: z.string(),
  /** What the change did: made the file, gave it other bytes, took it away. */
  did: z.enum(['created', 'replaced', 'removed']),
  /** Permission bits and bytes of what was there before; 0 where nothing was. */
  mode: z.int(),
  size: z.int(),
  /** SHA-256 of the bytes before and after, in hex; absent where there was no file. */
  before: z.string().optional(),
  after: z.string().optional(),
  encrypted: z.boolean(),
});

/** One change that can be undone. */
export type UndoRecord = z.output<typeof record>;

export interface UndoStore {
  /** Keeps what was there before a change, durably; returns the id to restore it by. */
  keep: (
    change: Omit<UndoRecord, 'id' | 'at' | 'encrypted' | 'size'>,
    bytes: Uint8Array | undefined,
  ) => Promise<string>;
  /** Drops what was kept for a change that was not made after all. */
  forget: (id: string) => void;
  /** The change was made. Only now may it be among what goes because of the limits. */
  made: (id: string) => void;
  /** Newest first. */
  list: () => UndoRecord[];
  /** The bytes from before; undefined where there was no file. @throws HoldpointError where they cannot be opened. */
  bytes: (record: UndoRecord) => Buffer | undefined;
}

/**
 * Copies of what changes replaced or removed: a record `ID.json` and, where there was something, `ID.bytes` beside it, in a
 * folder that only the owner can read. With a key (32 bytes) the copies are encrypted by AES-256-GCM, bound to their record.
 */
export function createUndoStore({
  dir,
  key,
  limits = UNDO_LIMITS,
}: {
  dir: string;
  key?: Uint8Array | undefined;
  limits?: UndoLimits;
}): UndoStore {
  const pruning = createPruning(dir, limits);
  const file = (id: string, kind: 'json' | 'bytes') => join(dir, `${id}.${kind}`);

  let last = 0;

  /** Nothing where another process has removed it since its name was read. */
  function recordOf(id: string): UndoRecord[] {
    const text = textOf(file(id, 'json'));
    if (text === undefined) return [];
    const parsed = record.safeParse(JSON.parse(text));
    if (parsed.success && parsed.data.id === id) return [parsed.data];
    throw new HoldpointError('internal', `The record of ${id} is damaged.`, {
      hint: `Look at ${file(id, 'json')}, and move it away.`,
    });
  }

  function forget(id: string): void {
    for (const name of [file(id, 'json'), file(id, 'bytes')])
      for (const path of [name, partOf(name)]) rmSync(path, { force: true });
    pruning.ends(id);
  }

  return {
    async keep(change, bytes) {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      // Later ones sort later, also within one millisecond.
      last = Math.max(Date.now(), last + 1);
      const at = new Date(last).toISOString();
      const id = `undo-${at.replace(/[-:.Z]/g, '')}-${randomBytes(4).toString('hex')}`;
      const kept: UndoRecord = {
        id,
        at,
        size: bytes?.length ?? 0,
        encrypted: key !== undefined && bytes !== undefined,
        ...change,
      };
      pruning.begins(id, kept.size);
      try {
        if (bytes) await writeDurably(file(id, 'bytes'), kept.encrypted && key ? seal(bytes, key, kept) : bytes);
        await writeDurably(file(id, 'json'), Buffer.from(`${JSON.stringify(kept)}\n`));
        syncFolder(dir);
      } catch (error) {
        forget(id);
        throw error;
      }
      return id;
    },
    forget,
    made: (id) => pruning.ends(id),
    list: () =>
      namesIn(dir)
        .filter((name) => name.endsWith('.json') && ID.test(name.slice(0, -5)))
        .sort()
        .toReversed()
        .flatMap((name) => recordOf(name.slice(0, -5))),
    bytes(kept) {
      if (kept.before === undefined) return undefined;
      const stored = readFileSync(file(kept.id, 'bytes'));
      return kept.encrypted ? unseal(stored, key, kept) : stored;
    },
  };
}

function seal(bytes: Uint8Array, key: Uint8Array, kept: UndoRecord): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo(kept));
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

function unseal(stored: Buffer, key: Uint8Array | undefined, kept: UndoRecord): Buffer {
  try {
    if (!key) throw new Error('no key');
    const decipher = createDecipheriv('aes-256-gcm', key, stored.subarray(0, NONCE)).setAAD(boundTo(kept));
    decipher.setAuthTag(stored.subarray(-TAG));
    return Buffer.concat([decipher.update(stored.subarray(NONCE, -TAG)), decipher.final()]);
  } catch (cause) {
    throw new HoldpointError('unavailable', `The copy ${kept.id} cannot be opened with this key.`, {
      hint: 'Give the keys directory that the server had (--keys), unchanged. If it was that one, the copy was tampered with.',
      cause,
    });
  }
}

/** A copy opens only as what its record says: with another path or mode on it, it does not open. */
function boundTo({ id, workspace, path, mode, before }: UndoRecord): Buffer {
  return Buffer.from(JSON.stringify([id, workspace, path, mode, before]));
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = partOf(path);
  const handle = await open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  renameSync(temporary, path);
}

/** What is being written has another name: what has the right one is whole. */
function partOf(path: string): string {
  return `${path}.part`;
}

function syncFolder(dir: string): void {
  const fd = openSync(dir, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
