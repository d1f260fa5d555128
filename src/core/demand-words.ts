import type { ApproverDemand, SignatureDemand } from './decision.ts';

/** `of alice, group sre or role release-manager`. */
export function wordsOf({ names, groups, roles }: ApproverDemand): string {
  const all = [...names, ...groups.map((group) => `group ${group}`), ...roles.map((role) => `role ${role}`)];
  if (all.length === 0) return 'of any approver';
  const last = all.pop() ?? '';
  return `of ${all.length > 0 ? `${all.join(', ')} or ${last}` : last}`;
}

/** How an approval must be signed, in words. */
export const SIGNATURES: Readonly<Record<SignatureDemand, string>> = {
  any: 'with any key',
  ssh: 'with an SSH key',
  passkey: 'with a passkey',
  'none-fits': 'both with an SSH key and with a passkey, which none is',
};
