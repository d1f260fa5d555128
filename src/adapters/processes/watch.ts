import { readFile } from 'node:fs/promises';

import type { Limit } from './port.ts';
import { look, treeIn, type Markers, type Tree } from './tree.ts';

/** What one process with all it started may have, at most. */
export interface Shares {
  memoryBytes: number;
  processes: number;
}

/** Looks after the memory and the number of processes of everything that runs. */
export interface Watch {
  /** `over` is called, once, when the tree is over a limit. Returns what ends the watching. */
  add(tree: Tree, over: (limit: Limit) => void): () => void;
}

/** Milliseconds between two looks: what grows faster is over its limit for that long. */
const EVERY = 500;

/**
 * Limits of the kernel would have to be set by the program itself, and count address space, which some programs reserve in
 * terabytes, or the user's other processes. So what is really used is looked at, of all trees at once; only on Linux.
 */
export function createWatch({ memoryBytes, processes }: Shares): Watch {
  const watched = new Map<Tree, (limit: Limit) => void>();
  let markers: Markers = new Map();
  let timer: NodeJS.Timeout | undefined;

  async function tick(): Promise<void> {
    const seen = await look(markers);
    markers = new Map(seen?.map(({ birth, marker }) => [birth, marker]));
    for (const [tree, over] of watched) {
      const pids = seen ? treeIn(seen, tree) : [];
      const limit = pids.length > processes ? 'processes' : (await memoryOf(pids)) > memoryBytes ? 'memory' : undefined;
      if (limit === undefined || !watched.delete(tree)) continue;
      over(limit);
    }
    schedule();
  }

  function schedule(): void {
    timer = watched.size > 0 ? setTimeout(() => void tick(), EVERY).unref() : undefined;
  }

  return {
    add(tree, over) {
      watched.set(tree, over);
      if (!timer) schedule();
      return () => void watched.delete(tree);
    },
  };
}

/** Bytes in memory. Pages that several share count for each of them. */
async function memoryOf(pids: readonly number[]): Promise<number> {
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
      return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
