import type { ApproverKey } from './keys.ts';

/** What tells of an approver who they are. */
export interface Identified {
  name: string;
  person: string;
  also: readonly string[];
  keys: readonly ApproverKey[];
}

/** Which approvers are one person; people are numbered in the order of the list. */
export interface People {
  /** The person behind an approver's name, or undefined where no such approver is registered. */
  of(name: string): number | undefined;
  /** People who may be this principal's person. */
  being(person: string): ReadonlySet<number>;
}

/**
 * Approvers are one person where they share an identity or a key, or are both one person with a third. In doubt they are
 * one: that makes two approvals out of one person's impossible, where the opposite would let it pass.
 */
export function peopleOf(approvers: readonly Identified[]): People {
  const leader = approvers.map((_, index) => index);
  const find = (index: number): number => (leader[index] === index ? index : find(leader[index] ?? index));
  for (const [index, approver] of approvers.entries())
    for (const [before, other] of approvers.slice(0, index).entries())
      if (isSamePerson(approver, other)) leader[find(index)] = find(before);
  return {
    of(name) {
      const index = approvers.findIndex((approver) => approver.name === name);
      return index === -1 ? undefined : find(index);
    },
    being: (person) =>
      new Set(
        approvers.flatMap((approver, index) =>
          identitiesOf(approver).some((identity) => mayBeSame(identity, person)) ? [find(index)] : [],
        ),
      ),
  };
}

function isSamePerson(a: Identified, b: Identified): boolean {
  const shared = identitiesOf(a).some((one) => identitiesOf(b).some((other) => mayBeSame(one, other)));
  return shared || a.keys.some((one) => b.keys.some((other) => other.publicKey === one.publicKey));
}

function identitiesOf({ person, also }: Identified): string[] {
  return [person, ...also];
}

/** In doubt they are: of a token the person is `SUB@ISSUER`, where `SUB` may be the name, or the mail address, of a user here. */
function mayBeSame(one: string, other: string): boolean {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  return a === b || a.startsWith(`${b}@`) || b.startsWith(`${a}@`);
}
