import { z } from 'zod';

import { HoldpointError } from '../core/errors.ts';
import type { Store } from '../store/store.ts';
import { canonicalJson } from './canonical.ts';
import type { Head } from './chain.ts';
import { parseCanonical } from './verify.ts';

/** Somewhere outside of the state directory that keeps checkpoints. */
export interface CheckpointPlace {
  /** For people; holds no secret. */
  name: string;
  /** Adds a line. @throws where it could not be kept. */
  write(line: string, signal: AbortSignal): Promise<void>;
}

export interface Checkpointing {
  /** To be told of every checkpoint record that is on disk. */
  written(head: Head): void;
  /** Names of places that did not take the last checkpoint. */
  failing(): string[];
  /** Gives the places some time to take the last one, and stops. Never throws. */
  stop(): Promise<void>;
}

export interface CheckpointingOptions {
  store: Store;
  /** Writes a checkpoint record, of which `written` is then told. */
  checkpoint: () => Promise<void>;
  places: readonly CheckpointPlace[];
  /** Milliseconds between looks whether there is something new. */
  every: number;
  /** Milliseconds that one place may take. */
  limit?: number;
  now?: () => number;
  /** A place failed; said once until it works again. */
  report: (place: string, error: unknown) => void;
}

/** What lies in the places: one line for each checkpoint, the last record that it covers all others with. */
const checkpointLine = z.strictObject({
  v: z.literal(1),
  /** ISO 8601, UTC. */
  at: z.string(),
  checkpoint: z.strictObject({
    writer: z.string(),
    seq: z.int().min(1),
    hash: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  }),
});

const LIMIT = 10_000;

/**
 * Writes checkpoints to places outside: a checkpoint record's hash covers the heads of all writers, so it is all that need be
 * kept. A place that fails is reported and tried again; nothing ever waits for it.
 */
export function createCheckpointing(options: CheckpointingOptions): Checkpointing {
  const { store, checkpoint, places, every, limit = LIMIT, now = Date.now, report } = options;
  const failing = new Set<CheckpointPlace>();
  const kept = new Map<CheckpointPlace, string>();
  const under = new Map<CheckpointPlace, Promise<void>>();
  let latest: string | undefined;

  const keep = async (place: CheckpointPlace, line: string) => {
    try {
      await within(limit, (signal) => place.write(line, signal));
      kept.set(place, line);
      failing.delete(place);
    } catch (error) {
      if (!failing.has(place)) report(place.name, error);
      failing.add(place);
    }
    under.delete(place);
    if (latest !== line && !failing.has(place)) keepAll();
  };
  /** A later checkpoint covers what an earlier one did: a place that is slow or was away gets the latest alone. */
  const keepAll = () => {
    const line = latest;
    if (line === undefined) return;
    for (const place of places) {
      if (under.has(place) || kept.get(place) === line) continue;
      under.set(place, keep(place, line));
    }
  };
  const look = async () => {
    if (await hasMoved(store)) await checkpoint();
    else keepAll();
  };
  // What keeps the log from being written is said by the log itself.
  const timer = places.length > 0 ? setInterval(() => void look().catch(() => undefined), every).unref() : undefined;

  return {
    written(head) {
      latest = canonicalJson({ v: 1, at: new Date(now()).toISOString(), checkpoint: head });
      keepAll();
    },
    failing: () => [...failing].map(({ name }) => name),
    async stop() {
      clearInterval(timer);
      await Promise.all(under.values());
      keepAll();
      await Promise.all(under.values());
    },
  };
}

/** Whether any writer has records that no checkpoint covers, beside checkpoints themselves. */
async function hasMoved(store: Store): Promise<boolean> {
  const rows = await store.query(
    `SELECT 1 AS moved FROM audit_heads h JOIN audit_records r ON r.writer = h.writer AND r.seq = h.seq
     WHERE h.seq > h.sealed AND r.kind <> 'checkpoint' LIMIT 1`,
  );
  return rows.length > 0;
}

/**
 * The records that a place's lines know.
 *
 * @throws HoldpointError `invalid_input` for text that is no checkpoints, or where there are none.
 */
export function parseCheckpoints(text: string, from: string): Head[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const heads = lines.map((line, index) => {
    const parsed = checkpointLine.safeParse(parseCanonical(line));
    if (parsed.success) return parsed.data.checkpoint;
    throw new HoldpointError('invalid_input', `Line ${index + 1} of ${from} is no checkpoint.`, {
      hint: 'Give what the server wrote there, unchanged.',
    });
  });
  if (heads.length > 0) return heads;
  throw new HoldpointError('invalid_input', `There is no checkpoint in ${from}.`, {
    hint: 'The server writes there what `audit.checkpoints` in its settings names.',
  });
}

async function within(limit: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new HoldpointError('timeout', `no answer within ${limit / 1000} s`);
    controller.abort(error);
    over.reject(error);
  }, limit);
  try {
    await Promise.race([work(controller.signal), over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
