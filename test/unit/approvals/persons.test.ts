import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { ApproverKey } from '../../../src/approvals/keys.ts';
import { peopleOf } from '../../../src/approvals/persons.ts';

interface Someone {
  name: string;
  person: string;
  also: string[];
  keys: ApproverKey[];
}

/** As the documentation says it, two identities at a time. */
function sameIdentity(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a === b || a.startsWith(`${b}@`) || b.startsWith(`${a}@`);
}

function areSame(a: Someone, b: Someone): boolean {
  const shared = [a.person, ...a.also].some((one) => [b.person, ...b.also].some((other) => sameIdentity(one, other)));
  return shared || a.keys.some((one) => b.keys.some(({ publicKey }) => publicKey === one.publicKey));
}

/** Everybody who can be reached from `start` by being the same as somebody. */
function reach(all: readonly Someone[], start: readonly Someone[]): Set<string> {
  const found = new Set(start);
  for (const each of found) for (const other of all) if (areSame(each, other)) found.add(other);
  return new Set([...found].map(({ name }) => name));
}

const identity = fc
  .array(fc.constantFrom('ann', 'Ann', 'ben', 'corp', 'id'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('@'));
const key = fc
  .constantFrom('k1', 'k2', 'k3', 'k4', 'k5', 'k6')
  .map((publicKey): ApproverKey => ({ kind: 'own', fingerprint: publicKey, publicKey, addedAt: '' }));
const someone = fc.record({
  person: identity,
  also: fc.array(identity, { maxLength: 2 }),
  keys: fc.array(key, { maxLength: 2 }),
});

test('I2 who is one person is what two at a time, and then through others, make them', () => {
  fc.assert(
    fc.property(fc.array(someone, { maxLength: 7 }), identity, (some, requester) => {
      const all = some.map((each, index): Someone => ({ name: `a${index}`, ...each }));
      const people = peopleOf(all);
      for (const one of all) {
        const same = reach(all, [one]);
        for (const other of all) expect(people.of(one.name) === people.of(other.name)).toBe(same.has(other.name));
      }
      const excluded = reach(
        all,
        all.filter((each) => [each.person, ...each.also].some((known) => sameIdentity(known, requester))),
      );
      const being = people.being(requester);
      expect(all.filter(({ name }) => being.has(people.of(name)!)).map(({ name }) => name)).toEqual(
        all.filter(({ name }) => excluded.has(name)).map(({ name }) => name),
      );
      expect(people.of('nobody')).toBeUndefined();
    }),
  );
});
