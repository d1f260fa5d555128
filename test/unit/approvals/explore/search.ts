import { apply, toldOver, type Outcome } from './acts.ts';
import { ACTS, nameOf, type Act } from './cast.ts';
import { DESIGN, type Rules } from './rules.ts';
import { FINAL, firstWorld, keyOf, type World } from './world.ts';

/** A world that was come to, and how: the first way found is a shortest one. */
export interface Place {
  world: World;
  /** How many acts from the beginning. */
  depth: number;
  from?: Place;
  by?: Act;
}

interface Found {
  says: string;
  /** The acts that lead there, one a line, each with the state after it. */
  trace: string[];
}

export interface Search {
  places: Place[];
  /** Acts that somebody could do in one of the worlds. */
  edges: number;
  wrong?: Found;
}

/**
 * Every world that any order of acts leads to, breadth first, until there is no new one or a rule of DESIGN §6 is broken; at
 * the end, whether there is one from which no request can end.
 */
export function search(needed: number, rules: Rules = DESIGN): Search {
  const first: Place = { world: firstWorld(needed), depth: 0 };
  const places = [first];
  const index = new Map([[keyOf(first.world), 0]]);
  const leadsTo: number[][] = [];
  let edges = 0;
  for (let at = 0; at < places.length; at += 1) {
    const place = places[at]!;
    const next: number[] = [];
    leadsTo.push(next);
    for (const act of ACTS) {
      const outcome = apply(act, place.world, rules);
      if (!outcome) continue;
      edges += 1;
      const to: Place = { world: outcome.world, depth: place.depth + 1, from: place, by: act };
      const says = wrong(place.world, act, outcome);
      if (says !== undefined) return { places, edges, wrong: { says, trace: traceOf(to) } };
      const key = keyOf(outcome.world);
      let known = index.get(key);
      if (known === undefined) {
        index.set(key, (known = places.length));
        places.push(to);
      }
      next.push(known);
    }
  }
  const lost = stuck(places, leadsTo);
  return {
    places,
    edges,
    ...(lost && { wrong: { says: 'nothing can end it any more: it is lost', trace: traceOf(lost) } }),
  };
}

/** What must never happen, whatever came before. */
function wrong(before: World, act: Act, { done, world }: Outcome): string | undefined {
  if (world.effects > 1) return 'it ran twice';
  if (FINAL.has(before.state) && world.state !== before.state)
    return `it was ${before.state}, and that was not the end`;
  if (!('server' in act)) return undefined;

  const { held, time } = before.servers[act.server];
  if (act.does === 'effect') {
    if (held?.flaw !== undefined) return `it ran, though ${held.flaw}`;
    return before.over.length > 0 ? `it ran, though ${toldOver(before)}` : undefined;
  }
  const inTime = Math.max(-before.back, before.kept, time) <= (before.lease ?? -Infinity);
  if (act.does === 'claim' && done && before.state === 'claimed' && inTime) return 'two claims at a time';
  if (act.does.startsWith('settle ')) {
    if (done && held && !held.current) return 'a claim that was given anew said how the run ended';
    if (!done && held?.current && (before.state === 'acting' || before.state === 'unknown'))
      return 'how the run ended was lost';
  }
  return undefined;
}

/** The first place from which no end can be come to. */
function stuck(places: readonly Place[], leadsTo: readonly (readonly number[])[]): Place | undefined {
  const comesFrom: number[][] = places.map(() => []);
  for (const [from, all] of leadsTo.entries()) for (const to of all) comesFrom[to]!.push(from);
  const ends = new Set(places.flatMap(({ world }, at) => (FINAL.has(world.state) ? [at] : [])));
  for (const at of ends) for (const from of comesFrom[at]!) ends.add(from);
  return places.find((_place, at) => !ends.has(at));
}

export function traceOf(place: Place): string[] {
  return place.from && place.by
    ? [...traceOf(place.from), `${nameOf(place.by)} → ${place.world.state}`]
    : [`a request that needs ${place.world.needed} approvals`];
}
