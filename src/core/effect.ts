/** What a call does to the world, mildest first. */
export const EFFECTS = ['read', 'write', 'destroy'] as const;

export type Effect = (typeof EFFECTS)[number];

/** The stronger of two effects. */
export function worseEffect(a: Effect, b: Effect): Effect {
  return EFFECTS.indexOf(a) >= EFFECTS.indexOf(b) ? a : b;
}
