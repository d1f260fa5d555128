import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { HoldpointError } from '../core/errors.ts';

/**
 * The process's environment; for `live` with the live servers' KUBECONFIG and DOCKER_HOST in it, as `scripts/live/up` left them.
 *
 * @throws HoldpointError `unavailable` where they are wanted and not up.
 */
export function environmentOf(live: boolean, env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  if (!live) return env;
  const file = join(env['HOLDPOINT_LIVE'] ?? '/run/holdpoint-live', 'env');
  try {
    const lines = [...readFileSync(file, 'utf8').matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    return { ...env, ...Object.fromEntries(lines) };
  } catch (cause) {
    throw new HoldpointError('unavailable', 'The live servers are not up.', {
      hint: 'In a clone: scripts/live/up, then again.',
      cause,
    });
  }
}
