import type { ApproverKey } from './keys.ts';

/** What tells of an approver who they are. */
interface Identified {
  name: string;
  person: string;
  also: readonly string[];
  keys: readonly ApproverKey[];
}

/** Which approvers are one person; people are numbered by one of their approvers. */
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
  const owners = new Map<string, number>();
  const own = (what: string, index: number) => {
    const owner = owners.get(what);
    if (owner === undefined) owners.set(what, index);
    else leader[find(index)] = find(owner);
  };
  for (const [index, approver] of approvers.entries()) {
    for (const identity of identitiesOf(approver)) own(`identity ${identity}`, index);
    for (const { publicKey } of approver.keys) own(`key ${publicKey}`, index);
  }
  for (const [index, approver] of approvers.entries())
    for (const reading of identitiesOf(approver).flatMap(readingsOf)) {
      const owner = owners.get(`identity ${reading}`);
      if (owner !== undefined) leader[find(index)] = find(owner);
    }
  const indexes = new Map(approvers.map(({ name }, index) => [name, index]));
  return {
    of(name) {
      const index = indexes.get(name);
      return index === undefined ? undefined : find(index);
    },
    being(person) {
      const asks = person.toLowerCase();
      const isThem = (identity: string) => readingsOf(asks).includes(identity) || readingsOf(identity).includes(asks);
      return new Set(
        approvers.flatMap((approver, index) => (identitiesOf(approver).some(isThem) ? [find(index)] : [])),
      );
    },
  };
}

function identitiesOf({ person, also }: Identified): string[] {
  return [person, ...also].map((identity) => identity.toLowerCase());
}

/**
 * Whoever an identity may also be: of a token the person is `SUB@ISSUER`, where `SUB` may be the name, or the mail address,
 * of a user here. `ann@corp@id` may be `ann@corp` and `ann`.
 */
function readingsOf(identity: string): string[] {
  const parts = identity.split('@');
  return parts.map((_, index) => parts.slice(0, index + 1).join('@')).filter((reading) => reading !== '');
}
