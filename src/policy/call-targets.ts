import type { z } from 'zod';

import { HoldpointError } from '../core/errors.ts';
import type { Facts } from '../core/facts.ts';
import type { Target } from '../core/target.ts';
import type { AnyTool } from '../core/tool.ts';

/** What a call would touch; or why the tool refuses it before any rule is asked; or why it is no call of this tool. */
export type CallTargets = { targets: readonly Target[] } | { refused: string } | { wrong: string };

/** Parses a call's arguments and asks the tool what they touch, as dispatch does. */
export function callTargets(tool: AnyTool, input: unknown, facts: Facts): CallTargets {
  const parsed = tool.input.safeParse(input);
  if (!parsed.success) {
    const issues = parsed.error.issues.map(
      (issue: z.core.$ZodIssue) => `${issue.path.join('.') || 'the input'}: ${issue.message}`,
    );
    return { wrong: `not the arguments of ${tool.name} (${issues.join('; ')})` };
  }
  try {
    return { targets: tool.targets(parsed.data, { facts }) };
  } catch (error) {
    if (error instanceof HoldpointError && error.code === 'denied') return { refused: error.message };
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}
