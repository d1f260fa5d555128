import type { ApprovalTerms, ApproverDemand } from '../core/decision.ts';
import { wordsOf, SIGNATURES } from '../core/demand-words.ts';
import type { Approver } from './approvers.ts';
import { isBreakGlass, type ApproverKey } from './keys.ts';
import { peopleOf, type People } from './persons.ts';

/** What an approval still needs, given who has approved and who is registered. */
export interface Progress {
  /** Different people who have approved. */
  given: number;
  /** In words, what is still needed; empty once enough people have approved. */
  stillNeeded: string[];
  /** Why the approvers who are registered now cannot give what is asked for; absent where they can. */
  cannotBeMet?: string;
}

type Terms = Pick<ApprovalTerms, 'approvals' | 'approvers' | 'requesterMayApprove' | 'signature'>;

/**
 * One person counts once for each demand, under however many names; one who is in two sets counts for both.
 *
 * @param requester the person whose agent asks
 * @param approving names of the approvers whose approvals count
 */
export function progressOf(
  terms: Terms,
  requester: string,
  approvers: readonly Approver[],
  approving: readonly string[],
): Progress {
  const people = peopleOf(approvers);
  const distinct = (some: readonly Approver[]) => new Set(some.map(({ name }) => people.of(name))).size;
  const signed = approvers.filter(({ name }) => approving.includes(name));
  const able = ableToApprove(terms, requester, approvers, people);
  const demands = [{ approvals: terms.approvals, names: [], groups: [], roles: [] }, ...terms.approvers].map(
    (demand) => ({
      demand,
      given: distinct(signed.filter((each) => isAsked(demand, each))),
      able: able.filter((each) => isAsked(demand, each)),
    }),
  );
  const lacking = demands.filter(({ demand, able: some }) => distinct(some) < demand.approvals);
  return {
    given: distinct(signed),
    stillNeeded: withoutImplied(demands)
      .filter(({ demand, given }) => given < demand.approvals)
      .map(({ demand, given }) => `${demand.approvals - given} ${more(given)}${wordsOf(demand)}`),
    ...(lacking.length > 0 && { cannotBeMet: whyNot(terms, withoutImplied(lacking)) }),
  };
}

/** Whether an approval by them can be any use: somebody is asked for who they are, or anybody is. */
export function isAskedAtAll({ approvals, approvers }: Terms, approver: Approver): boolean {
  // Where a demand asks for as many as all rules together, meeting the demands is all there is to do.
  const anybody = approvers.every((demand) => demand.approvals < approvals);
  return anybody || approvers.some((demand) => isAsked(demand, approver));
}

/** The people that rules ask for, in words. */
export function wordsOfDemands({ approvers }: Pick<Terms, 'approvers'>): string {
  return approvers.map(wordsOf).join('; ');
}

/** Whether a signature by this kind of key is what the rule asks for. */
export function fitsKind({ signature }: Pick<Terms, 'signature'>, key: ApproverKey): boolean {
  return signature === 'any' || signature === key.kind;
}

function ableToApprove(
  terms: Terms,
  requester: string,
  approvers: readonly Approver[],
  people: People,
): readonly Approver[] {
  const excluded: ReadonlySet<number | undefined> = terms.requesterMayApprove ? new Set() : people.being(requester);
  return approvers.filter(
    ({ name, keys }) =>
      !excluded.has(people.of(name)) && keys.some((key) => !isBreakGlass(key) && fitsKind(terms, key)),
  );
}

function isAsked({ names, groups, roles }: ApproverDemand, approver: Approver): boolean {
  if (names.length + groups.length + roles.length === 0) return true;
  return (
    names.includes(approver.name) ||
    approver.groups.some((group) => groups.includes(group)) ||
    approver.roles.some((role) => roles.includes(role))
  );
}

/** The demand for anybody says nothing that a demand for as many of a set does not say as well. */
function withoutImplied<T extends { demand: ApproverDemand }>(demands: readonly T[]): readonly T[] {
  const [first, ...rest] = demands;
  return first && rest.some(({ demand }) => demand.approvals >= first.demand.approvals) ? rest : demands;
}

function more(given: number): string {
  return given > 0 ? 'more ' : '';
}

function whyNot(terms: Terms, lacking: readonly { demand: ApproverDemand; able: readonly Approver[] }[]): string {
  if (terms.signature === 'none-fits')
    return 'one rule asks for a passkey and another one for an SSH key; no signature is both';
  const kind = terms.signature === 'any' ? '' : ` ${SIGNATURES[terms.signature]}`;
  const other = terms.requesterMayApprove ? '' : ' who is not the requester';
  return lacking
    .map(({ demand, able }) => {
      const who = able.map(({ name }) => name).join(', ') || 'nobody';
      return `it needs ${demand.approvals} ${wordsOf(demand)}${kind}${other}; registered: ${who}`;
    })
    .join('; ');
}
