import { expect, test } from 'vitest';

import { MISTAKES } from './explore/mistakes.ts';
import { DESIGN } from './explore/rules.ts';
import { search } from './explore/search.ts';
import { STATES } from '../../../src/approvals/states.ts';

/** How many worlds there are at least: fewer, and the exploration has become a smaller one. */
const WORLDS = { 1: 25_000, 2: 40_000 } as const;

test.each([1, 2] as const)(
  'I2 I8 every interleaving of two servers, two approvers, the requester, the clock and crashes, %i approvals needed: no rule is ever broken',
  (needed) => {
    const { places, edges, wrong } = search(needed);
    const view = ({ held }: { held?: { current: boolean; phase: string } }) =>
      held ? `${held.phase} ${held.current}` : '';
    const pairs = new Set(places.map(({ world }) => `${world.state}|${world.servers.map(view).toSorted().join('|')}`));
    process.stdout.write(
      `${needed} approvals: ${places.length} worlds, ${edges} acts, at most ${places.at(-1)?.depth} deep; ${pairs.size} pairs of state and servers' views\n`,
    );
    expect(wrong).toBeUndefined();
    expect(places.length).toBeGreaterThan(WORLDS[needed]);
    expect(pairs.size).toBeGreaterThanOrEqual(43);
    expect(new Set(places.map(({ world }) => world.state)).size).toBe(STATES.length);
  },
  120_000,
);

test.each(MISTAKES)(
  'I2 a mistake in the rules is found: $mistake',
  ({ mistake, needed = 1, says, rules }) => {
    const { wrong } = search(needed, { ...DESIGN, ...rules });
    process.stdout.write(`${mistake}: ${wrong?.says}\n  ${wrong?.trace.join('\n  ')}\n`);
    expect(wrong?.says).toBe(says);
  },
  120_000,
);
