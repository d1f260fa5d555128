import type { z } from 'zod';

import type { ToolAlias } from './alias.ts';
import type { Effect } from './effect.ts';
import type { Json, JsonObject } from './json.ts';
import type { Plan, PreviewPart } from './plan.ts';
import type { Principal } from './principal.ts';
import type { Facts } from './facts.ts';
import type { Target } from './target.ts';

/**
 * The systems that tools can ask for by name in `needs`. Each adapter's `port.ts` adds its own:
 * `declare module '../../core/tool.ts' { interface Ports { docker: DockerPort } }`.
 */
// oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type -- filled by the adapters' ports
export interface Ports {}

export type PortName = keyof Ports;

export interface Progress {
  message: string;
  done?: number;
  total?: number;
}

interface BaseContext {
  facts: Facts;
  principal: Principal;
  /** Whether the policy allows this target at once to this principal through this tool. For leaving out what may not be seen. */
  permits: (target: Target) => boolean;
  /** Masks secrets; for texts that are cut or taken apart before dispatch masks what is left. */
  redact: (text: string) => string;
  /** Correlation id of the call; goes to upstream requests. */
  callId: string;
  /** The span this runs in, as W3C `traceparent`, where calls are traced. */
  traceparent?: string;
  signal: AbortSignal;
}

export type PlanContext<N extends PortName = PortName> = BaseContext & Pick<Ports, N>;

export type RunContext<N extends PortName = PortName> = PlanContext<N> & {
  progress: (update: Progress) => void;
  /** Records the outcome of one step of the plan, as it happens. */
  stepDone: (id: string, outcome: Json) => void;
};

/**
 * One MCP tool. `targets` is pure; `plan` reads only those targets and changes nothing; `run` does what the plan says.
 * None of the three catches errors: adapters throw HoldpointError, dispatch formats it.
 */
export interface ToolDefinition<
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodObject = z.ZodObject,
  D extends Json = Json,
  N extends PortName = PortName,
> {
  /** Kebab-case; equals the file's name. */
  name: string;
  title: string;
  /** Short: every persona pays for it in tokens. Says what it does, and what needs approval. */
  description: string;
  /** Words for find-tools that the description does not have. */
  keywords?: readonly string[];
  /** Other names for calls of this tool, each with its own arguments; unwrapped before anything else looks at the call, and never listed. */
  aliases?: Readonly<Record<string, ToolAlias>>;
  /** The worst it can do; a plan may have less, never more. The annotations are derived from it. */
  effect: Effect;
  needs: readonly N[];
  /** A z.strictObject: unknown keys are errors. */
  input: I;
  /** JSON Schema of its arguments where another server describes them: advertised in place of `input`, and held to by `plan`. */
  arguments?: JsonObject;
  /** The type of `result`; dispatch checks it. */
  output: O;
  targets(input: z.output<I>, scope: { facts: Facts }): Target[];
  plan(input: z.output<I>, context: PlanContext<N>): Promise<Plan<D>>;
  /**
   * What else the people who decide should see of a plan that is held: a diff, what it can break, how to undo it. Called once the
   * decision is to hold, so that a call that runs at once does not wait for it. It reads, and binds nothing: what moves by itself
   * belongs here. What cannot be found out is said as unknown; where it throws, the request goes without it and says so.
   */
  preview?(plan: Plan<D>, context: PlanContext<N>): Promise<PreviewPart[]>;
  run(plan: Plan<D>, context: RunContext<N>): Promise<z.input<O>>;
  /** The result as short text for clients that show only text; JSON where it is absent. */
  render?(result: z.output<O>): string;
}

/** Checks a tool's parts against each other at compile time; the identity at run time. */
export function defineTool<I extends z.ZodObject, O extends z.ZodObject, D extends Json, const N extends PortName>(
  tool: ToolDefinition<I, O, D, N>,
): ToolDefinition<I, O, D, N> {
  return tool;
}

/** A tool whose type parameters are forgotten: what the registry holds and dispatch calls. */
// oxlint-disable-next-line typescript/no-explicit-any -- the registry mixes tools of every shape; dispatch parses before each use
export type AnyTool = ToolDefinition<any, any, any, any>;

/** What is said of a tool before its first use. */
export type ToolCard = Pick<AnyTool, 'name' | 'title' | 'description' | 'keywords' | 'effect' | 'needs'> & {
  /** JSON Schema of its arguments, as `tools/list` gives it. */
  arguments: JsonObject;
  /** The names of its aliases. */
  aliasNames?: string[];
};
