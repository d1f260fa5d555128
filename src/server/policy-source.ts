import { stat } from 'node:fs/promises';

import { HoldpointError } from '../core/errors.ts';
import type { Policy } from '../policy/policy.ts';

/** The policy in force. An edited file is in force from the next call on; a broken one stops every call until it is mended. */
export interface PolicySource {
  /** @throws HoldpointError `unavailable` while the file on disk is broken or gone. */
  current(): Promise<Policy>;
}

/** Loads the policy now (a broken one throws) and again whenever its file has changed. */
export async function createPolicySource(file: string, load: (file: string) => Promise<Policy>): Promise<PolicySource> {
  let loaded = await loadMarked(file, load);
  let loading: Promise<void> | undefined;
  const reload = async (): Promise<void> => {
    loaded = await loadMarked(file, load);
  };
  return {
    async current() {
      const now = await marks([file, ...loaded.policy.files]);
      if (now !== loaded.mark) {
        loading ??= reload()
          .catch((cause: unknown) => {
            throw new HoldpointError(
              'unavailable',
              'The policy file was changed and is not valid, so every call is refused.',
              {
                hint: `A person must mend it: ${cause instanceof Error ? cause.message : String(cause)}`,
                cause,
              },
            );
          })
          .finally(() => {
            loading = undefined;
          });
        await loading;
      }
      return loaded.policy;
    },
  };
}

/** The marks are at most as new as what was read: a change in between is seen at the next call. */
async function loadMarked(
  file: string,
  load: (file: string) => Promise<Policy>,
): Promise<{ mark: string; policy: Policy }> {
  for (;;) {
    const before = await mark(file);
    const began = Date.now();
    // oxlint-disable-next-line no-await-in-loop -- once, but for files that are being written at this moment
    const policy = await load(file);
    const beside = await marks(policy.files);
    // Which files lie beside it is known only now; one that changed meanwhile may have been read before it did.
    if (!(await Promise.all(policy.files.map((each) => changedSince(each, began)))).includes(true))
      return { mark: [before, beside].filter(Boolean).join(' '), policy };
  }
}

/** How far a file's time may lag behind the clock, in milliseconds: it is set in ticks. */
const TICK = 20;

async function changedSince(file: string, moment: number): Promise<boolean> {
  const { ctimeMs } = await stat(file).catch(() => ({ ctimeMs: 0 }));
  return ctimeMs > moment - TICK;
}

async function marks(files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map(mark))).join(' ');
}

async function mark(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch {
    return 'gone';
  }
}
