/** Everything that anybody can do, and by whom; each is one transaction of the store, or none. */
export type Act =
  | { does: 'tick' | 'clock back' | 'clock right' | 'revoke' | 'resolve done' | 'resolve failed' }
  | { does: 'approve' | 'approve, signed at first' | 'approve, forged' | 'deny' | 'remove approver'; approver: 0 | 1 }
  | { does: ServerAct; server: 0 | 1 };

export type ServerAct =
  | 'claim'
  | 'claim of a stranger'
  | 'act'
  | 'effect'
  | 'step'
  | 'settle done'
  | 'settle failed'
  | 'settle unknown'
  | 'give back'
  | 'stale'
  | 'renew'
  | 'ask again'
  | 'cancel'
  | 'sweep'
  | 'something else'
  | 'crash';

const SERVER_ACTS: readonly ServerAct[] = [
  'claim',
  'claim of a stranger',
  'act',
  'effect',
  'step',
  'settle done',
  'settle failed',
  'settle unknown',
  'give back',
  'stale',
  'renew',
  'ask again',
  'cancel',
  'sweep',
  'something else',
  'crash',
];

export const ACTS: readonly Act[] = [
  ...(['tick', 'clock back', 'clock right', 'revoke', 'resolve done', 'resolve failed'] as const).map((does) => ({
    does,
  })),
  ...(['approve', 'approve, signed at first', 'approve, forged', 'deny', 'remove approver'] as const).flatMap((does) =>
    ([0, 1] as const).map((approver) => ({ does, approver })),
  ),
  ...SERVER_ACTS.flatMap((does) => ([0, 1] as const).map((server) => ({ does, server }))),
];

export function nameOf(act: Act): string {
  if ('approver' in act) return `${['alice', 'bob'][act.approver]}: ${act.does}`;
  return 'server' in act ? `server ${act.server + 1}: ${act.does}` : act.does;
}
