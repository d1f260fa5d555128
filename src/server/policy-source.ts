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
  let loaded = { mark: await mark(file), policy: await load(file) };
  let loading: Promise<void> | undefined;
  const reload = async (now: string): Promise<void> => {
    loaded = { mark: now, policy: await load(file) };
  };
  return {
    async current() {
      const now = await mark(file);
      if (now !== loaded.mark) {
        loading ??= reload(now)
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

async function mark(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch {
    return 'gone';
  }
}
