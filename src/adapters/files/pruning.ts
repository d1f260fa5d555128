import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** How much is kept for undo; beyond that the oldest changes go. */
export interface UndoLimits {
  copies: number;
  megabytes: number;
  /** Milliseconds. */
  keepFor: number;
}

/** The same as the configuration's. */
export const UNDO_LIMITS: UndoLimits = { copies: 10_000, megabytes: 2048, keepFor: 90 * 86_400_000 };

/** What is younger stays whatever the limits say, in milliseconds: other servers' changes may be under way. */
const GRACE = 600_000;
/** After so many changes the folder is looked at again: other servers use it too. */
const LOOK_AFTER = 100;

/** The files of one change: its record, its copy, and what a stop in the middle left of them. */
const NAME = /^(?<id>undo-(?<time>\d{8}T\d{9})-[0-9a-f]{8})\.(?:json|bytes)(?:\.part)?$/;

export interface Pruning {
  /** A change of that id, with a copy of so many bytes, is under way: it stays. */
  begins(id: string, bytes: number): void;
  /** It was made, or was not and its copy is gone; now what is over the limits goes. */
  ends(id: string): void;
}

interface Kept {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  bytes: number;
  names: string[];
}

/** Keeps a folder of copies within limits, oldest first. Ages are those in the ids, which no restoring of files changes. */
export function createPruning(dir: string, limits: UndoLimits): Pruning {
  const pending = new Set<string>();
  const maxBytes = limits.megabytes * 1_048_576;
  /** What there is, as far as this process knows; and the changes since it looked. */
  let copies = 0;
  let bytes = 0;
  let since = Infinity;

  function prune(): void {
    const now = Date.now();
    const kept = keptIn(dir);
    copies = kept.length;
    bytes = kept.reduce((sum, each) => sum + each.bytes, 0);
    since = 0;
    for (const each of kept) {
      const over = copies > limits.copies || bytes > maxBytes || now - each.at > limits.keepFor;
      if (!over) break;
      if (pending.has(each.id) || now - each.at < GRACE) continue;
      // The record first: a copy without one is nothing that could be restored, a record without its copy would be a lie.
      for (const name of each.names.toSorted().toReversed()) rmSync(join(dir, name), { force: true });
      copies--;
      bytes -= each.bytes;
    }
  }

  return {
    begins(id, size) {
      pending.add(id);
      copies++;
      bytes += size;
      since++;
    },
    ends(id) {
      pending.delete(id);
      if (since < LOOK_AFTER && copies <= limits.copies && bytes <= maxBytes) return;
      try {
        prune();
      } catch {
        // The change is made and can be undone: that some old copy cannot be removed is no failure of it.
        since = 0;
      }
    },
  };
}

/** Oldest first. */
function keptIn(dir: string): Kept[] {
  const byId = new Map<string, Kept>();
  for (const name of readdirSync(dir)) {
    const { id, time } = NAME.exec(name)?.groups ?? {};
    if (id === undefined || time === undefined) continue;
    const kept = byId.get(id) ?? { id, at: timeOf(time), bytes: 0, names: [] };
    kept.names.push(name);
    kept.bytes += statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0;
    byId.set(id, kept);
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** `20260704T101112345`, UTC. */
function timeOf(time: string): number {
  const [, date, hour, minute, second, ms] = /^(\d{8})T(\d\d)(\d\d)(\d\d)(\d{3})$/.exec(time) ?? [];
  const day = date?.replace(/(\d{4})(\d\d)(\d\d)/, '$1-$2-$3');
  return Date.parse(`${day}T${hour}:${minute}:${second}.${ms}Z`);
}
