import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

import { HoldpointError } from '../../src/core/errors.ts';
import type { Target } from '../../src/core/target.ts';
import { defineTool, type AnyTool, type RunContext } from '../../src/core/tool.ts';

/** Something that every policy lets be read; a call that touches nothing would be denied. */
const READS: Target = { kind: 'file', id: 'docker/Dockerfile', path: 'docker/Dockerfile', effect: 'read' };

/** A tool as any other of Holdpoint's, under the name that the suite calls it by. */
function dispatched(name: string, description: string, run: (context: RunContext<never>) => Promise<string>): AnyTool {
  return defineTool({
    name,
    title: name,
    description,
    effect: 'read',
    needs: [],
    input: z.strictObject({}),
    output: z.strictObject({ text: z.string() }),
    targets: () => [READS],
    plan: async () => ({
      effect: 'read',
      targets: [READS],
      preconditions: [],
      steps: [],
      preview: { summary: name },
      data: null,
    }),
    run: async (_plan, context) => ({ text: await run(context) }),
    render: (result) => result.text,
  });
}

/** Longer than a client's reader needs to see two messages apart. */
const PAUSE = 50;

const logs = async ({ progress }: RunContext<never>) => {
  progress({ message: 'Tool execution started' });
  await pause(PAUSE);
  progress({ message: 'Tool processing data' });
  await pause(PAUSE);
  progress({ message: 'Tool execution completed' });
  return 'Tool with logging executed successfully';
};

export const DISPATCHED_TOOLS: readonly AnyTool[] = [
  dispatched('test_simple_text', 'Gives a text.', async () => 'This is a simple text response for testing.'),
  dispatched('test_error_handling', 'Fails.', () => {
    throw new HoldpointError('upstream', 'This tool intentionally returns an error for testing');
  }),
  dispatched('test_reconnection', 'Gives a text.', async () => 'The stream stayed open.'),
  dispatched('test_tool_with_progress', 'Says how far it is.', async ({ progress }) => {
    progress({ message: 'begun', done: 0, total: 100 });
    await pause(PAUSE);
    progress({ message: 'half', done: 50, total: 100 });
    await pause(PAUSE);
    progress({ message: 'done', done: 100, total: 100 });
    return 'Tool with progress executed successfully';
  }),
  dispatched('test_tool_with_logging', 'Logs.', logs),
  dispatched('test_logging_tool', 'Logs.', logs),
];
