import type { Attack } from './case.ts';
import { changes } from './cluster.ts';
import { connect, type Transport } from './connect.ts';
import type { Run } from './running.ts';
import type { ServerMap } from './server-map.ts';
import { reach, take } from './steps.ts';
import { hurt, missing } from './verdict.ts';
import { newWorld } from './world.ts';

/** One case over one transport. */
export interface Outcome {
  id: string;
  transport: Transport;
  /** Tool calls of the attack; none: the server has no tool for it. */
  calls: number;
  /** What the attack achieved, in words; empty where it was held. */
  escapes: string[];
  /** Answers that were not as the case says, where the world is unhurt all the same. */
  wrong: string[];
  /** What the allowed twin did not do. */
  twin: string[];
}

export async function runAttack(attack: Attack, map: ServerMap, transport: Transport): Promise<Outcome> {
  const outcome: Outcome = { id: attack.id, transport, calls: 0, escapes: [], wrong: [], twin: [] };
  if (!possible(attack, map)) return outcome;
  const first = await started(attack, map, transport);
  try {
    const before = first.world.snapshot();
    if (Array.isArray(attack.attack)) for (const step of attack.attack) await take(first, step);
    else await reach(first, attack.attack.reach, attack.attack.with, false);
    outcome.calls = first.calls;
    outcome.escapes = hurt(first, before, attack.after ?? {});
    outcome.wrong = first.problems;
    if (!attack.twin.fresh) outcome.twin = await twin(first);
  } finally {
    await stopped(first);
  }
  if (!attack.twin.fresh) return outcome;
  const second = await started(attack, map, transport);
  try {
    outcome.twin = await twin(second);
  } finally {
    await stopped(second);
  }
  return outcome;
}

/** Whether the server has tools for what the case does. */
function possible({ attack, twin: { steps } }: Attack, map: ServerMap): boolean {
  const has = (action: string) => (map.actions[action] ?? []).length > 0;
  if (!Array.isArray(attack)) return attack.reach.some(has);
  return (
    map.envelope || [...attack, ...(steps ?? [])].every((step) => 'change' in step || ('act' in step && has(step.act)))
  );
}

async function started(attack: Attack, map: ServerMap, transport: Transport): Promise<Run> {
  const world = await newWorld(attack);
  try {
    const connection = await connect(map, transport, world);
    return { attack, map, world, connection, id: '', answers: [], problems: [], calls: 0 };
  } catch (error) {
    world.close();
    throw error;
  }
}

async function stopped(run: Run): Promise<void> {
  await run.other?.close();
  await run.connection.close();
  run.world.close();
}

async function twin(run: Run): Promise<string[]> {
  const { attack, world } = run;
  run.problems = [];
  const before = {
    changes: changes(world.cluster.asked).length,
    ran: world.ran().length,
    builds: world.engine.sent.length,
  };
  if (attack.twin.steps) for (const step of attack.twin.steps) await take(run, step);
  else if (!Array.isArray(attack.attack))
    await reach(run, attack.twin.reach ?? attack.attack.reach, { ...attack.attack.with, ...attack.twin.with }, true);
  return [...run.problems, ...missing(world, attack.twin.after ?? {}, before)];
}
