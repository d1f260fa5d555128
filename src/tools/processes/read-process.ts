import { z } from 'zod';

import { processReport, reportText } from '../../adapters/processes/port.ts';
import type { ProcessReport } from '../../adapters/processes/port.ts';
import type { Effect } from '../../core/effect.ts';
import { principalId } from '../../core/principal.ts';
import type { Target } from '../../core/target.ts';
import { defineTool } from '../../core/tool.ts';

/** Clients give up on a call after 60 seconds. */
const MAX_WAIT = 45;
/** Room for the output of a result, as JSON, in bytes. */
const ROOM = 7000;

export default defineTool({
  name: 'read-process',
  title: 'Read a process',
  description: 'New output and state of a process that launch-process started; kill ends it.',
  keywords: ['output', 'stop', 'tail', 'wait'],
  effect: 'write',
  needs: ['processes'],
  input: z.strictObject({
    id: z.string(),
    waitSeconds: z.int().min(0).max(MAX_WAIT).optional(),
    kill: z.boolean().optional(),
  }),
  output: processReport,

  targets: ({ id, kill }) => [processTarget(id, effectOf(kill))],

  async plan({ id, waitSeconds, kill }, { processes, principal }) {
    const effect = effectOf(kill);
    const about = kill ? await processes.about(id, principalId(principal)) : undefined;
    const command = about && [about.program, ...about.argv].join(' ');
    return {
      effect,
      targets: [processTarget(id, effect)],
      preconditions: about ? [{ id: `process:${id}`, says: `process ${id}`, value: about }] : [],
      steps: kill ? [{ id: 'kill', does: `end process ${id}`, call: { signal: 'SIGTERM', force: 'SIGKILL' } }] : [],
      preview: {
        summary: `${kill ? 'end' : 'read'} process ${id}${command === undefined ? '' : `: ${command.slice(0, 200)}`}`,
      },
      data: { id, kill: kill ?? false },
      manner: { waitSeconds: waitSeconds ?? 0 },
    };
  },

  preview: ({ data: { kill } }) =>
    Promise.resolve(
      kill ? [{ kind: 'undo', text: 'It cannot be undone: launch-process starts the same command anew.' }] : [],
    ),

  async run(
    { data: { id, kill }, manner },
    { processes, principal, signal, progress, stepDone },
  ): Promise<ProcessReport> {
    const owner = principalId(principal);
    const { waitSeconds } = manner as { waitSeconds: number };
    if (kill) {
      await processes.kill(id, owner);
      stepDone('kill', { id });
    }
    const waiting = {
      waitMs: waitSeconds * 1000,
      maxBytes: ROOM,
      signal,
      onLine: (message: string) => progress({ message }),
    };
    return processes.read(id, owner, waiting);
  },

  render: reportText,
});

function effectOf(kill: boolean | undefined): Effect {
  return kill ? 'write' : 'read';
}

/** Where the process acts was decided when it was launched; reading and ending it happens on this machine. */
function processTarget(id: string, effect: Effect): Target {
  return {
    kind: 'process',
    id: `process ${id.slice(0, 60)}`,
    effect,
    command: 'read-process',
    at: { host: 'localhost' },
  };
}
