import { HoldpointError } from '../core/errors.ts';

/** Who an approver is, and which rules may ask for them. */
export interface Identity {
  person: string;
  /** Other identities of the same person. */
  also: readonly string[];
  groups: readonly string[];
  roles: readonly string[];
}

/** A name of an approver, a group or a role. */
const PLAIN = /^[a-z0-9][a-z0-9._-]{0,63}$/i;
/** An identity: a user's name, or `SUB@ISSUER`; nothing in it that only looks like something else. */
const IDENTITY = /^[!-~](?:[ -~]{0,254}[!-~])?$/;

/** @throws HoldpointError `invalid_input`. */
export function checkName(name: string): void {
  if (PLAIN.test(name)) return;
  throw new HoldpointError('invalid_input', `"${name}" cannot be an approver's name.`, {
    hint: 'Use letters, digits, dots, dashes and underscores, such as "alice".',
  });
}

/** Each list sorted and without doubles. @throws HoldpointError `invalid_input`. */
export function checkedIdentity(who: Identity): {
  person: string;
  also: string[];
  groups: string[];
  roles: string[];
} {
  for (const identity of [who.person, ...who.also])
    if (!IDENTITY.test(identity))
      throw new HoldpointError('invalid_input', `"${identity}" cannot be a person's identity.`, {
        hint: 'Write a user name, or SUB@ISSUER as tokens have it, in ASCII.',
      });
  for (const label of [...who.groups, ...who.roles])
    if (!PLAIN.test(label))
      throw new HoldpointError('invalid_input', `"${label}" cannot be a group or a role.`, {
        hint: 'Use letters, digits, dots, dashes and underscores, such as "sre".',
      });
  const once = (values: readonly string[]) => [...new Set(values)].sort();
  return { person: who.person, also: once(who.also), groups: once(who.groups), roles: once(who.roles) };
}
