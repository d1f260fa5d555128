import { z } from 'zod';

import type { Effect } from '../core/effect.ts';
import type { JsonObject } from '../core/json.ts';
import { approvalTool } from './approval-tool.ts';
import type { Answer } from './answer.ts';
import { findTools } from './find-tools.ts';
import { handOffTool } from './hand-off-tool.ts';
import type { Call, Services } from './services.ts';

/** A tool of the server itself: it works on calls and requests, not on the world, and goes through no plan. */
export interface ServerTool {
  name: string;
  title: string;
  description: string;
  /** Words for find-tools that the description does not have. */
  keywords?: readonly string[];
  /** In `tools/list` only where the persona lists it; found and called by everybody. */
  isOptional?: true;
  /** For the annotations: the worst that a call can lead to. */
  effect: Effect;
  input: z.ZodObject;
  handle(input: JsonObject, call: Call): Promise<Answer | Instead>;
}

/** Another call that is to be made instead: dispatch takes it along the whole line, as if it had come from the client. */
interface Instead {
  instead: Pick<Call, 'tool' | 'arguments'>;
}

/** Dispatch unwraps it before anything else looks at the call, so it has no `handle`. */
export const useTool = {
  name: 'use-tool',
  title: 'Use any tool',
  description: 'Call a tool found with find-tools; same policy.',
  effect: 'destroy' as Effect,
  input: z.strictObject({ name: z.string().max(200), arguments: z.record(z.string(), z.unknown()).optional() }),
};

export function serverTools(services: Services): ReadonlyMap<string, ServerTool> {
  const found = [handOffTool(services)];
  return new Map([approvalTool(services), findTools(services, found), ...found].map((tool) => [tool.name, tool]));
}
