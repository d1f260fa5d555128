import { performance } from 'node:perf_hooks';

import { asHoldpointError, HoldpointError } from '../core/errors.ts';
import type { Decision } from '../core/decision.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { likely } from '../core/nearest.ts';
import { principalId } from '../core/principal.ts';
import type { Plan } from '../core/plan.ts';
import { decide } from '../policy/decide.ts';
import { denied, failed, planned, type Answer } from './answer.ts';
import { whatMoved } from './compare.ts';
import { refused } from './hand-off-record.ts';
import { hold } from './hold.ts';
import { forAudit, shapeProblem, invalid, parseInput } from './input.ts';
import { makePlan, planCall, runPlan, type Passage } from './line.ts';
import { serverTools, type ServerTool } from './server-tools.ts';
import { turnAway } from './limits.ts';
import { requireScope } from './scopes.ts';
import type { Call, Services } from './services.ts';
import { aliases, unwrap } from './unwrap.ts';

export interface Dispatch {
  /** One call, start to end; never throws. */
  call(call: Call): Promise<Answer>;
  /** Resolves when no call is running any more. */
  idle(): Promise<void>;
}

/**
 * The only caller of tools: the same straight line for every transport, alias and surface (DESIGN §2).
 */
export function createDispatch(services: Services): Dispatch {
  const surfaces = serverTools(services);
  const running = new Set<Promise<unknown>>();
  return {
    call(given) {
      const who = principalId(given.principal);
      const entry = services.limits.enter(who, given.admitted);
      if ('refused' in entry) return Promise.resolve(failed(turnAway(entry.refused, who, given.transport, services)));
      const call = { ...given, signal: AbortSignal.any([given.signal, services.draining]) };
      const name = nameOf(call.tool, services);
      const fields = {
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': name,
        'holdpoint.call_id': call.id,
        'network.transport': call.transport === 'http' ? 'tcp' : 'pipe',
      };
      const answer = services.tracing.span(
        `tools/call ${name}`,
        fields,
        () => trace(call, services, () => route(call, services, surfaces)),
        call.traceparent,
      );
      running.add(answer);
      void answer.finally(() => {
        running.delete(answer);
        entry.leave();
      });
      return answer;
    },
    async idle() {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

/** Audit received … closed around the handling of one call; what is thrown becomes an answer here and nowhere else. */
async function trace(call: Call, services: Services, handle: () => Promise<Answer>): Promise<Answer> {
  const { audit, redactor } = services;
  const began = performance.now();
  let answer: Answer;
  try {
    // Before anything of the call is written anywhere.
    await redactor.ready();
    const shape = shapeProblem(call.arguments);
    audit.append({
      kind: 'received',
      callId: call.id,
      data: redactor.json({
        tool: call.tool.slice(0, 200),
        arguments: shape ? shape.message : forAudit(call.arguments),
        principal: principalId(call.principal),
        transport: call.transport,
      }),
    });
    if (shape) throw shape;
    answer = redacted(await handle(), services);
  } catch (thrown) {
    const error = asHoldpointError(thrown);
    if (error.code === 'internal')
      services.log('error', { callId: call.id, tool: call.tool, err: error.cause }, error.message);
    answer = redacted(failed(error), services);
  }
  const { status, error, approval } = answer.envelope;
  const seconds = (performance.now() - began) / 1000;
  try {
    const fields: JsonObject = { status, ms: Math.round(seconds * 1000) };
    if (error)
      Object.assign(fields, { code: error.code, reason: error.reason, ...(error.rule ? { rule: error.rule } : {}) });
    if (approval) fields['approval'] = approval.id;
    audit.append({ kind: 'closed', callId: call.id, data: redactor.json(fields) });
  } catch (thrown) {
    services.log(
      'error',
      { callId: call.id, err: thrown },
      'The audit log cannot be written; every further call is refused.',
    );
  }
  services.tracing.note({ 'holdpoint.status': status, ...(error ? { 'error.type': error.code } : {}) });
  const tool = nameOf(call.tool, services);
  services.observe({ event: 'call', callId: call.id, tool, status, ...(error && { code: error.code }), seconds });
  return answer;
}

const SURFACE_NAMES: ReadonlySet<string> = new Set(['approval', 'find-tools', 'hand-offs', 'use-tool']);

/** A tool's name for series, logs and spans, which must not grow with what clients make up. */
function nameOf(tool: string, { registry }: Services): string {
  return registry.has(tool) || SURFACE_NAMES.has(tool) || aliases(registry).has(tool) ? tool : 'unknown';
}

/** The way out of every answer, whoever made it: results of tools are masked before they are cut as well (line.ts). */
function redacted(answer: Answer, { redactor }: Services): Answer {
  return {
    envelope: redactor.json(answer.envelope as unknown as JsonObject) as unknown as Answer['envelope'],
    text: redactor.text(answer.text),
  };
}

async function route(call: Call, services: Services, surfaces: ReadonlyMap<string, ServerTool>): Promise<Answer> {
  const broken = services.audit.broken();
  if (broken) throw broken;
  requireScope(call, 'tools:read');
  const inner = unwrap(call, services.registry);
  const surface = surfaces.get(inner.tool);
  if (surface) {
    const parsed = surface.input.safeParse(inner.arguments ?? {});
    if (!parsed.success) throw invalid(surface.name, parsed.error, Object.keys(surface.input.shape));
    const handled = await surface.handle(parsed.data as JsonObject, inner);
    return 'instead' in handled ? route({ ...inner, ...handled.instead }, services, surfaces) : handled;
  }
  const tool = services.registry.get(inner.tool);
  const policy = await services.policies.current();
  if (!tool) {
    // A tool of other servers that the policy names is denied as such; any other name is a mistake.
    const decision = decide(policy, { principal: inner.principal, tool: inner.tool, targets: [] }, services.now());
    if (decision.rules.length > 0) return refused(decision, inner, services);
    const near = likely(inner.tool, [...services.registry.keys(), ...surfaces.keys()]);
    throw new HoldpointError('not_found', `There is no tool "${inner.tool.slice(0, 100)}".`, {
      hint:
        near.length > 0
          ? `Did you mean ${near.join(' or ')}? find-tools searches all tools.`
          : 'find-tools searches all tools.',
    });
  }
  const { input, dryRun } = parseInput(tool, inner.arguments);
  return walk({ tool, input, policy, call: inner }, dryRun, services);
}

/** Targets → decide → plan → decide again → audit → deny, hold or run. */
async function walk(passage: Passage, dryRun: boolean, services: Services): Promise<Answer> {
  const { decision, plan } = await planCall(passage, services);
  opened(passage, decision, plan, services);
  if (decision.verdict === 'deny' || !plan)
    return dryRun ? denied(decision) : refused(decision, { ...passage.call, arguments: passage.input }, services);
  if (dryRun) return planned(plan, decision);
  if (decision.verdict === 'require_approval') return hold(passage, plan, decision, services);
  if (plan.effect !== 'read') {
    await services.audit.flush();
    const changes = whatMoved(plan, await makePlan(passage, services));
    if (changes.length > 0)
      throw new HoldpointError(
        'stale',
        'What this call relies on moved while it was being planned; nothing was done.',
        { changes },
      );
    services.stopping.throwIfAborted();
  }
  return runPlan(passage, plan, services, () => {});
}

function opened(
  { tool, input, policy, call }: Passage,
  decision: Decision,
  plan: Plan | undefined,
  { audit, redactor, observe, tracing }: Services,
): void {
  const environment = decision.environment ?? 'none';
  observe({ event: 'decision', callId: call.id, tool: tool.name, verdict: decision.verdict, environment });
  tracing.note({ 'holdpoint.verdict': decision.verdict, 'holdpoint.environment': environment });
  audit.append({
    kind: 'opened',
    callId: call.id,
    data: redactor.json({
      tool: tool.name,
      principal: principalId(call.principal),
      input: forAudit(input),
      policy: policy.digest,
      verdict: decision.verdict,
      rules: decision.rules,
      reason: decision.reason,
      ...(decision.environment ? { environment: decision.environment } : {}),
      targets: decision.targets.slice(0, 50).map((entry) => forAudit({ ...entry.target, verdict: entry.verdict })),
      targetCount: decision.targets.length,
      ...(plan
        ? {
            effect: plan.effect,
            summary: plan.preview.summary,
            steps: plan.steps.slice(0, 50).map((step): Json => step.does),
          }
        : {}),
    }),
  });
}
