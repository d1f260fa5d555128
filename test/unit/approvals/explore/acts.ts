import type { State } from '../../../../src/approvals/states.ts';
import type { Act, ServerAct } from './cast.ts';
import { counted, type Decision, type Rules } from './rules.ts';
import { APPROVE_WITHIN, BACK, FINAL, later, LEASE, RUN_WITHIN, settled, type Held, type World } from './world.ts';

export interface Outcome {
  /** Whether whoever did it was told that it was done. */
  done: boolean;
  world: World;
}

/** What comes of an act, or undefined where nobody could do it. Pure. */
export function apply(act: Act, world: World, rules: Rules): Outcome | undefined {
  const outcome = applied(act, world, rules);
  return outcome && { ...outcome, world: settled(outcome.world) };
}

function applied(act: Act, world: World, rules: Rules): Outcome | undefined {
  if ('server' in act) return byServer(act.does, act.server, world, rules);
  if ('approver' in act) return byApprover(act.does, act.approver, world, rules);
  switch (act.does) {
    case 'tick':
      return yes(later(world));
    case 'clock back':
      return world.back === 0 ? yes({ ...world, back: BACK }) : undefined;
    case 'clock right':
      return world.back === 0 ? undefined : yes({ ...world, back: 0 });
    case 'revoke': {
      const { world: open } = opened(world, atTerminal(world, rules), rules);
      if (!rules.revokes.has(open.state)) return no(open);
      return yes(rules.revokeMoves && open.state === 'approved' ? to(open, 'revoked') : said(open, 'revoked'));
    }
    case 'resolve done':
    case 'resolve failed': {
      const { world: open } = opened(world, atTerminal(world, rules), rules);
      return open.state === 'unknown' ? yes(to(open, act.does === 'resolve done' ? 'done' : 'failed')) : no(open);
    }
  }
}

function byApprover(
  does: (Act & { approver: 0 | 1 })['does'],
  approver: 0 | 1,
  world: World,
  rules: Rules,
): Outcome | undefined {
  if (does === 'remove approver')
    return world.registered[approver]
      ? yes({ ...world, registered: put(world.registered, approver, false) })
      : undefined;
  const { world: open, now } = opened(world, atTerminal(world, rules), rules);
  const at = does === 'approve, signed at first' ? world.approveBy - APPROVE_WITHIN : now;
  const decision: Decision = { approver, at, genuine: does !== 'approve, forged' };
  const why = rules.refuses(open, decision);
  if (does === 'deny')
    return why === undefined || why === 'approved already'
      ? yes(said(to(open, rules.afterDenial), 'denied'))
      : no(open);
  if (why !== undefined) return no(open);
  const given = { ...open, given: put(open.given, approver, at), forged: open.forged || !decision.genuine };
  if (!rules.approved(given)) return yes(given);
  return yes(to({ ...given, runBy: Math.max(...counted(given)) + RUN_WITHIN }, 'approved'));
}

function byServer(does: ServerAct, server: 0 | 1, world: World, rules: Rules): Outcome | undefined {
  const { held, time } = world.servers[server];
  const now = rules.now(world, time);
  const keep = (next: World, claim: Held | undefined): World => ({
    ...next,
    servers: put(next.servers, server, { time: next.servers[server].time, ...(claim && { held: claim }) }),
  });
  const telling = (next: World): World => ({
    ...next,
    servers: put(next.servers, server, { ...next.servers[server], time: Math.max(time, now) }),
  });
  const open = () => telling(opened(world, now, rules).world);

  switch (does) {
    case 'crash':
      return yes({ ...world, servers: put(world.servers, server, { time: -world.back }) });
    case 'something else':
      return yes(telling({ ...world, kept: Math.max(world.kept, now) }));
    case 'sweep':
      return yes(rules.due(world, now) === undefined ? telling(world) : open());
    case 'ask again': {
      const found = open();
      if (found.state === 'denied') return no(found);
      // Then it is another request.
      return FINAL.has(found.state) || found.state === 'unknown' ? undefined : yes(found);
    }
    case 'cancel': {
      const found = open();
      if (found.state === 'pending') return yes(to(found, 'cancelled'));
      return found.state === 'approved' ? yes(to(found, 'revoked')) : no(found);
    }
    case 'claim of a stranger':
      if (!rules.claimChecks.asker) return claim(open(), 'it was not the one who asked');
      return no(telling(world));
    case 'claim':
      return held ? undefined : claim(open());
    case 'effect':
      if (held?.phase !== 'acting' && !(held?.phase === 'claimed' && !rules.effectWaits)) return undefined;
      return yes(keep({ ...world, effects: world.effects + 1 }, { ...held, phase: 'ran' }));
    case 'act': {
      if (!held) return undefined;
      const found = open();
      if (!rules.acts.has(found.state) || !rules.holds(held, 'act')) return no(keep(found, undefined));
      const flaw = held.current ? held.flaw : 'another holds the claim';
      const acting = keep(found, { ...held, phase: held.phase === 'ran' ? 'ran' : 'acting', ...(flaw && { flaw }) });
      return yes(to({ ...acting, lease: now + LEASE }, 'acting'));
    }
    case 'renew': {
      if (!held) return undefined;
      const found = open();
      const good = (found.state === 'claimed' || found.state === 'acting') && rules.holds(held, 'other');
      return good ? yes({ ...found, lease: now + LEASE }) : no(found);
    }
    case 'step': {
      if (!held) return undefined;
      const found = open();
      return rules.settles.has(found.state) && rules.holds(held, 'settle') ? yes(found) : no(found);
    }
    case 'give back':
    case 'stale': {
      if (!held) return undefined;
      const found = keep(open(), undefined);
      if (does === 'stale')
        return found.state === 'claimed' && rules.holds(held, 'other') ? yes(to(found, 'stale')) : no(found);
      if (!rules.givesBack.has(found.state) || !rules.holds(held, 'other')) return no(found);
      return yes(opened(to(found, 'approved'), now, rules).world);
    }
    case 'settle done':
    case 'settle failed':
    case 'settle unknown': {
      if (!held) return undefined;
      const found = keep(open(), undefined);
      if (!rules.settles.has(found.state) || !rules.holds(held, 'settle')) return no(found);
      return yes(to(found, does.slice('settle '.length) as State));
    }
  }

  function claim(found: World, flaw?: string): Outcome {
    if (held || !rules.claims.has(found.state)) return no(found);
    if (rules.claimChecks.standing && !rules.approved(found)) return no(found);
    const signedRunBy = Math.max(...counted(found)) + RUN_WITHIN;
    if (rules.claimChecks.runBy && now > signedRunBy) return no(to(found, 'expired'));
    const why = flaw ?? flawOf(found, world, server);
    const others = put(found.servers, server === 0 ? 1 : 0, outdated(found.servers[server === 0 ? 1 : 0]));
    const next = { ...found, servers: others, lease: now + LEASE };
    return yes(to(keep(next, { current: true, phase: 'claimed', ...(why && { flaw: why }) }), 'claimed'));
  }
}

/** Why a claim should not have been given, by what the observer knows and the rules may have missed. */
function flawOf(found: World, before: World, server: 0 | 1): string | undefined {
  const signed = counted(found);
  if (found.forged) return 'nobody signed it';
  if (signed.length < found.needed) return 'too few approvers stand by it';
  // The time that was acted on already, or that this very process has told.
  if (Math.max(before.kept, before.servers[server].time) > Math.max(...signed) + RUN_WITHIN)
    return 'its time to run was over';
  return found.over.length > 0 ? toldOver(found) : undefined;
}

export function toldOver({ over }: World): string {
  return `somebody was told that it was ${over.join(' and ')}`;
}

function outdated(process: World['servers'][0]): World['servers'][0] {
  return process.held ? { ...process, held: { ...process.held, current: false } } : process;
}

/** A transaction begins: everything that time made due has happened. */
function opened(world: World, now: number, rules: Rules): { world: World; now: number } {
  const due = rules.due(world, now);
  if (due !== undefined) return opened(to(world, due), now, rules);
  return { world: { ...world, kept: Math.max(world.kept, now) }, now };
}

/** People decide at a terminal: a process that has just started. */
function atTerminal(world: World, rules: Rules): number {
  return rules.now(world, -world.back);
}

const OVER: ReadonlySet<State> = new Set(['denied', 'expired', 'cancelled', 'revoked', 'stale']);

function to(world: World, state: State): World {
  return said({ ...world, state }, state);
}

/** The observer remembers what somebody was told: this is over. */
function said(world: World, what: State): World {
  return OVER.has(what) && !world.over.includes(what) ? { ...world, over: [...world.over, what] } : world;
}

function put<T>(pair: readonly [T, T], index: 0 | 1, value: T): readonly [T, T] {
  return index === 0 ? [value, pair[1]] : [pair[0], value];
}

function yes(world: World): Outcome {
  return { done: true, world };
}

function no(world: World): Outcome {
  return { done: false, world };
}
