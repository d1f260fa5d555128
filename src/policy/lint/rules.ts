import { isDeepStrictEqual } from 'node:util';

import type { ApprovalTerms, ApproverDemand } from '../../core/decision.ts';
import { covers, disjoint, readingOf } from './covering.ts';
import type { Reading } from './covering.ts';
import { found, placeOf } from './scope.ts';
import type { Check, Scope, Written } from './scope.ts';
import type { Finding } from './finding.ts';

/** Rules that change nothing because of other rules: inside a denial, covered by another, or holding what nothing allows. */
export const rulesAgainstRules: Check = (scope) => {
  const environments = scope.policy.environments.map(({ name }) => name);
  const read = scope.rules.map((written) => ({ written, reading: readingOf(written.entry) }));
  const inside = (inner: Reading, outer: Reading) => covers(outer, inner, environments);
  return read.flatMap(({ written, reading }, at) => {
    const others = read.filter((_, index) => index !== at);
    const covering = others.filter((other) => inside(reading, other.reading));
    const denial = covering.find(({ written: { entry } }) => entry.decision === 'deny')?.written;
    const { decision } = written.entry;
    if (decision === 'allow' && denial !== undefined) return [allowInsideDeny(scope, written, denial)];
    if (decision === 'require_approval' && denial !== undefined) return [shadowed(scope, written, denial)];
    const same = covering.find(
      (other) =>
        other.written.entry.decision === decision &&
        asStrict(other.written, written) &&
        // Of two rules that cover each other the later one is too much.
        (other.written.index < written.index || !inside(other.reading, reading)),
    )?.written;
    if (same !== undefined) return [redundant(scope, written, same)];
    if (decision === 'require_approval' && !others.some((other) => allows(other, reading)))
      return [holdsNothing(scope, written)];
    return decision === 'allow' ? deadPatterns(scope, written, others, inside) : [];
  });
};

function allows({ written, reading }: { written: Written; reading: Reading }, held: Reading): boolean {
  return written.entry.decision === 'allow' && !disjoint(reading, held);
}

/** Whether approval by the rules of `a` asks for at least what `b` asks for. */
function asStrict({ rule: { terms: a } }: Written, { rule: { terms: b } }: Written): boolean {
  if (a === undefined || b === undefined) return true;
  const includes = (key: 'checklists' | 'windows') => b[key].every((name) => a[key].includes(name));
  return numbersAsStrict(a, b) && peopleAsStrict(a, b) && includes('checklists') && includes('windows');
}

function numbersAsStrict(a: ApprovalTerms, b: ApprovalTerms): boolean {
  return (
    a.approvals >= b.approvals &&
    a.approveWithin <= b.approveWithin &&
    a.runWithin <= b.runWithin &&
    (a.channel === 'out-of-band' || b.channel === 'client') &&
    (!a.requesterMayApprove || b.requesterMayApprove)
  );
}

/** Whether whoever may approve by `a` may by `b`: sets of people are compared as they are written. */
function peopleAsStrict(a: ApprovalTerms, b: ApprovalTerms): boolean {
  const meets = ({ approvals, ...people }: ApproverDemand) =>
    a.approvers.some(({ approvals: most, ...others }) => most >= approvals && isDeepStrictEqual(others, people));
  return (
    b.approvers.every(meets) &&
    (a.reasonRequired || !b.reasonRequired) &&
    (b.signature === 'any' || a.signature === b.signature)
  );
}

function deadPatterns(
  scope: Scope,
  { entry, index }: Written,
  others: readonly { written: Written; reading: Reading }[],
  inside: (inner: Reading, outer: Reading) => boolean,
): Finding[] {
  const paths = entry.when.path ?? [];
  if (paths.length < 2) return [];
  return paths.flatMap((pattern, at) => {
    const part = readingOf({ when: { ...entry.when, path: [pattern] }, decision: entry.decision });
    const denial = others.find(({ written, reading }) => written.entry.decision === 'deny' && inside(part, reading));
    if (denial === undefined) return [];
    return [
      found('allow-inside-deny', placeOf(scope, index, 'when', 'path', at), {
        of: entry.id,
        message: `${quoted(pattern)} allows nothing: the rule ${quoted(denial.written.entry.id)} denies all of it.`,
        fix: 'Leave the pattern out, or narrow the denial if these files are meant to be allowed.',
      }),
    ];
  });
}

function allowInsideDeny(scope: Scope, { entry, index }: Written, denial: Written): Finding {
  return found('allow-inside-deny', placeOf(scope, index), {
    of: entry.id,
    message: `It allows nothing: the rule ${quoted(denial.entry.id)} (line ${denial.rule.line}) denies all of it, for a denial always wins (and ignores letter case).`,
    fix: 'Leave the rule out, or narrow the denial if this is meant to be allowed.',
  });
}

function shadowed(scope: Scope, { entry, index }: Written, denial: Written): Finding {
  return found('shadowed', placeOf(scope, index), {
    of: entry.id,
    message: `Nobody is ever asked: the rule ${quoted(denial.entry.id)} (line ${denial.rule.line}) denies all that it would hold.`,
    fix: 'Leave the rule out, or narrow the denial if a person may approve this.',
  });
}

function redundant(scope: Scope, { entry, index }: Written, other: Written): Finding {
  return found('redundant', placeOf(scope, index), {
    of: entry.id,
    message: `The rule ${quoted(other.entry.id)} (line ${other.rule.line}) says the same of all that it matches${entry.decision === 'require_approval' ? ', on terms as strict' : ''}.`,
    fix: 'Leave the rule out, or narrow the other one.',
  });
}

function holdsNothing(scope: Scope, { entry, index }: Written): Finding {
  return found('hold-without-allow', placeOf(scope, index), {
    of: entry.id,
    message: 'Nobody is ever asked: no rule allows anything that it matches, and what no rule allows is denied.',
    fix: 'Add a rule with decision: allow for the same targets; this one then holds them. Leave it out if they are to be denied.',
  });
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
