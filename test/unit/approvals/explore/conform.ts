import type { createApprovals } from '../../../../src/approvals/approvals.ts';
import { apply, type Outcome } from './acts.ts';
import { ACTS, nameOf, type Act } from './cast.ts';
import { realRequest, type Beside, type RealRequest } from './real.ts';
import { DESIGN } from './rules.ts';
import { traceOf, type Place } from './search.ts';
import { FINAL, settled, type World } from './world.ts';

export interface Conformance {
  /** Acts that the real code did, and those of them that were made to die at each statement, once for each. */
  acts: number;
  deaths: number;
}

/** Which acts to drive where, and the way there. */
export interface Itinerary {
  first: Place;
  acts: ReadonlyMap<Place, readonly Act[]>;
  next: ReadonlyMap<Place, readonly Place[]>;
}

/**
 * The way along the edges of the model's graph. The code of an act sees the stored request, who is registered, the time, and
 * its own process: of edges that are alike in all that, one is on the way.
 *
 * @param closely whether times are alike only where the clock, the store and the process tell them alike
 */
export function itinerary(places: readonly Place[], closely = false): Itinerary {
  const seen = new Set<string>();
  const acts = new Map<Place, Act[]>();
  const next = new Map<Place, Place[]>();
  const leads = new Set<Place>();
  for (const place of places) {
    const wanted = ACTS.filter((act) => {
      if (!apply(act, place.world, DESIGN)) return false;
      const key = sightOf(act, place.world, closely);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
    if (wanted.length === 0) continue;
    acts.set(place, wanted);
    for (let at = place; at.from && !leads.has(at); at = at.from) {
      leads.add(at);
      next.set(at.from, [...(next.get(at.from) ?? []), at]);
    }
  }
  return { first: places[0]!, acts, next };
}

/**
 * Drives the real code and compares what it says and stores with the model.
 *
 * @throws Error where the code does something else than the model, with the acts that lead there
 */
export async function conform({ first, acts, next }: Itinerary, create?: typeof createApprovals): Promise<Conformance> {
  const real = await realRequest(first.world.needed, create);
  const died = new Set<string>();
  const count: Conformance = { acts: 0, deaths: 0 };

  const drive = async (place: Place, act: Act, beside: Beside): Promise<Beside> => {
    const outcome = apply(act, place.world, DESIGN)!;
    const really = await real.act(act, place.world, beside);
    count.acts += 1;
    const difference = await compare(real, act, outcome, really);
    if (difference) throw new Error([...traceOf(place), `${nameOf(act)}: ${difference}`].join('\n'));
    return really.beside;
  };

  const visit = async (place: Place, beside: Beside): Promise<void> => {
    for (const act of acts.get(place) ?? []) {
      const kind = `${act.does} ${place.world.state} ${apply(act, place.world, DESIGN)!.world.state}`;
      if (!died.has(kind)) count.deaths += await dieEverywhere(real, act, place.world, beside);
      died.add(kind);
      await real.store.undoing(() => drive(place, act, beside));
    }
    for (const child of next.get(place) ?? [])
      await real.store.undoing(async () => visit(child, await drive(place, child.by!, beside)));
  };
  try {
    await visit(first, real.first);
  } finally {
    await real.end();
  }
  return count;
}

/**
 * What the code of an act can see. Of time it sees how long there is to each moment, or that it is over; how it comes to its own time, from the clock,
 * the store and what it told before, is told apart for acts that do nothing else, or everywhere where `closely`.
 */
function sightOf(
  act: Act,
  { state, approveBy, runBy, lease, given, registered, kept, back, servers }: World,
  closely: boolean,
): string {
  const own = 'server' in act ? servers[act.server] : undefined;
  const approver = 'approver' in act ? act.approver : 'nobody';
  const told = own?.time ?? -back;
  const clock = [kept, back, told];
  const now = DESIGN.now({ kept, back } as World, told);
  const since = [approveBy, runBy, lease, ...given].map((time) =>
    time === null ? null : Math.max(time - now, closely ? -Infinity : -1),
  );
  const timely = closely || act.does === 'something else' || act.does === 'sweep';
  return JSON.stringify([act.does, approver, own?.held, state, since, registered, timely ? clock : null]);
}

/** What the code made otherwise than the model, or undefined. */
async function compare(
  real: RealRequest,
  act: Act,
  { done, world }: Outcome,
  really: Awaited<ReturnType<RealRequest['act']>>,
): Promise<string | undefined> {
  if (really.done !== done)
    return `the code ${really.done ? 'did' : 'refused'} it, the model ${done ? 'did' : 'refused'} it`;
  const { byLog, ...stored } = await real.look(really.beside);
  if (byLog !== stored.state) return `the row is ${stored.state}, the log says ${byLog}`;
  const found = settled({ ...world, ...stored });
  const names = Object.keys(stored) as (keyof typeof stored)[];
  const other = names.find((name) => JSON.stringify(found[name]) !== JSON.stringify(world[name]));
  if (other)
    return `${other} is ${JSON.stringify(found[other])} in the code, ${JSON.stringify(world[other])} in the model`;
  if (!('server' in act) || really.tells === undefined || FINAL.has(world.state)) return undefined;
  const [code, model] = [await really.tells(), DESIGN.now(world, world.servers[act.server].time)];
  return code === model ? undefined : `the server tells ${code} in the code, ${model} in the model`;
}

/** A process that dies within an act has done nothing, whichever statement was its last. Returns how often it died. */
async function dieEverywhere(real: RealRequest, act: Act, world: World, beside: Beside): Promise<number> {
  const before = real.store.dump();
  for (let statements = 0; ; statements += 1) {
    real.store.dieAfter(statements);
    const died = await real.store.undoing(async () => {
      const gone = await real.act(act, world, beside).then(
        () => false,
        (error: unknown) => error instanceof Error && error.message === 'the process is gone',
      );
      real.store.dieAfter(undefined);
      // Something that was refused has changed nothing but what time made due, in one transaction too.
      if (gone && real.store.dump() !== before)
        throw new Error(`${nameOf(act)} was half done after ${statements} statements`);
      return gone;
    });
    real.store.dieAfter(undefined);
    if (!died) return statements;
  }
}
