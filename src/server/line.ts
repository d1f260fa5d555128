import { HoldpointError } from '../core/errors.ts';
import type { Decision } from '../core/decision.ts';
import { EFFECTS } from '../core/effect.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { Plan, PreviewPart } from '../core/plan.ts';
import type { Target } from '../core/target.ts';
import type { AnyTool, PlanContext, RunContext } from '../core/tool.ts';
import { decide } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import { bound } from './bound.ts';
import { done, type Answer } from './answer.ts';
import { recordedFiles } from './recorded-files.ts';
import { requireScope, scopeFor, worstOf } from './scopes.ts';
import type { Call, Services } from './services.ts';

/** A call on its way along the line (DESIGN §2): its tool, its input, and the policy that it is decided by throughout. */
export interface Passage {
  tool: AnyTool;
  input: JsonObject;
  policy: Policy;
  call: Call;
}

export interface Planned {
  decision: Decision;
  /** Absent when the targets alone were denied: then nothing was looked at. */
  plan?: Plan;
}

/**
 * Targets → decide → plan → decide again. The second decision sees the first one's targets too, so it can only be tighter.
 *
 * @throws HoldpointError `denied` where the caller's scopes do not reach as far as the targets or the plan.
 */
export async function planCall(passage: Passage, services: Services): Promise<Planned> {
  const { tool, input, call } = passage;
  const targets = tool.targets(input, { facts: services.facts });
  requireScope(call, scopeFor(worstOf(targets)));
  const first = decideOn(passage, targets, services);
  if (first.verdict === 'deny') return { decision: first };
  const plan = await makePlan(passage, services);
  requireScope(call, scopeFor(worstOf(plan.targets, plan.effect)));
  return { decision: decideOn(passage, merge(targets, plan.targets), services), plan };
}

/** Plans once more, for the check right before a run. */
export async function makePlan({ tool, input, policy, call }: Passage, services: Services): Promise<Plan> {
  const made = await services.tracing.span('plan', {}, () => tool.plan(input, contextOf(tool, policy, call, services)));
  // Through JSON, so that what is stored, compared and shown is the same value.
  const plan = JSON.parse(JSON.stringify(made)) as Plan;
  const worst = worstOf(plan.targets, plan.effect);
  if (EFFECTS.indexOf(worst) > EFFECTS.indexOf(tool.effect))
    throw new HoldpointError(
      'internal',
      `${tool.name} planned to ${worst}, but is declared to ${tool.effect} at worst.`,
    );
  return plan;
}

/** What the tool has for the people who decide on its plan; nothing where it has no more than the plan itself. */
export async function previewParts(
  { tool, policy, call }: Passage,
  plan: Plan,
  signal: AbortSignal,
  services: Services,
): Promise<PreviewPart[]> {
  const parts = await services.tracing.span('preview', {}, async () =>
    tool.preview?.(plan, contextOf(tool, policy, { ...call, signal }, services)),
  );
  return JSON.parse(JSON.stringify(parts ?? [])) as PreviewPart[];
}

/** Runs a plan and gives the answer: checked against the tool's output type, redacted, bounded. */
export async function runPlan(
  passage: Passage,
  plan: Plan,
  services: Services,
  stepDone: (id: string, outcome: Json) => void,
): Promise<Answer> {
  const { tool, policy, call } = passage;
  // A client that goes away does not stop a write half-way: a write has the server's signal.
  const signal = plan.effect === 'read' ? call.signal : services.stopping;
  const edits = recordedFiles(services.ports.files, tool.name, call, services);
  const ran = await services.tracing.span('run', { 'holdpoint.effect': plan.effect }, async () => {
    const stream = services.redactor.stream();
    const planned = contextOf(tool, policy, { ...call, signal }, services);
    const context: RunContext = {
      ...planned,
      ...('files' in planned && { files: edits.files }),
      progress: (update) => call.progress({ ...update, message: stream.line(update.message) }),
      stepDone,
    };
    try {
      return await tool.run(plan, context);
    } finally {
      await edits.record();
    }
  });
  const output = tool.output.safeParse(ran);
  if (!output.success)
    throw new HoldpointError('internal', `${tool.name} gave a result of the wrong type.`, { cause: output.error });
  return answerOf(tool, output.data as JsonObject, call, services);
}

function answerOf(tool: AnyTool, output: JsonObject, call: Call, services: Services): Answer {
  const result = services.redactor.json(output);
  const text = services.redactor.text(tool.render ? tool.render(result) : JSON.stringify(result));
  const { value, cut } = bound(result, services.maxBytes);
  const shown = bound({ text }, services.maxBytes);
  if (cut === 0 && shown.cut === 0) return done(result, text);
  const uri = services.results.keep(call.principal, result);
  return done(
    value,
    shown.value['text'] as string,
    `The result was cut to fit; the whole of it is the resource ${uri}. Narrower arguments give less.`,
  );
}

function decideOn({ tool, policy, call }: Passage, targets: Target[], services: Services): Decision {
  return decide(policy, { principal: call.principal, tool: tool.name, targets }, services.now());
}

function contextOf(tool: AnyTool, policy: Policy, call: Call, services: Services): PlanContext {
  const ports = Object.fromEntries(
    (tool.needs as (keyof typeof services.ports)[]).map((name) => [name, services.ports[name]]),
  );
  return {
    ...(ports as unknown as typeof services.ports), // exactly the ports that the tool names; its own type holds it to them
    facts: services.facts,
    principal: call.principal,
    callId: call.id,
    ...withTraceparent(services.tracing.traceparent()),
    signal: call.signal,
    redact: services.redactor.text,
    permits: (target) =>
      decide(policy, { principal: call.principal, tool: tool.name, targets: [target] }, services.now()).verdict ===
      'allow',
  };
}

function withTraceparent(traceparent: string | undefined): { traceparent?: string } {
  return traceparent === undefined ? {} : { traceparent };
}

/** Both lists, each target once. */
function merge(first: Target[], second: Target[]): Target[] {
  const seen = new Map<string, Target>();
  for (const target of [...first, ...second]) seen.set(JSON.stringify(target), target);
  return [...seen.values()];
}
