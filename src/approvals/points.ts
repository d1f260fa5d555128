/** Every transition of a request, by the name of the act that causes it. */
const TRANSITIONS = [
  'request',
  'decide',
  'claim',
  'acting',
  'step',
  'settle',
  'give-back',
  'stale',
  'renew',
  'cancel',
  'revoke',
  'resolve',
  'tick',
  'review',
  'sweep',
] as const;

export type Transition = (typeof TRANSITIONS)[number];

/** Moments just before a transition's transaction begins and just after it is on disk: a crash test kills the process there. */
export type Point = `${Transition}:${'before' | 'after'}`;

export const POINTS: readonly Point[] = TRANSITIONS.flatMap((name) => [`${name}:before`, `${name}:after`] as const);
