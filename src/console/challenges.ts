import { randomBytes } from 'node:crypto';

const GOOD_FOR = 300_000;
const MAX_OPEN = 1000;

/** Challenges for passkeys: each is made here, for one purpose, and taken back once. */
export function createChallenges(now: () => number) {
  const open = new Map<string, { purpose: string; until: number }>();
  return {
    /** @returns 32 random bytes, base64url. */
    make(purpose: string): string {
      for (const [challenge, { until }] of open) if (until < now()) open.delete(challenge);
      // The oldest come first: a flood takes the newest in, and nothing of it is kept for long.
      while (open.size >= MAX_OPEN) open.delete(open.keys().next().value ?? '');
      const challenge = randomBytes(32).toString('base64url');
      open.set(challenge, { purpose, until: now() + GOOD_FOR });
      return challenge;
    },

    take(challenge: string, purpose: string): boolean {
      const found = open.get(challenge);
      if (found?.purpose !== purpose) return false;
      open.delete(challenge);
      return found.until >= now();
    },
  };
}

/** Failed attempts of one address within a minute; beyond them it is turned away, right attempts included. */
export function createAttempts(atMost: number, now: () => number) {
  const failures = new Map<string, number[]>();
  const recent = (address: string) => (failures.get(address) ?? []).filter((at) => at > now() - 60_000);
  return {
    tooMany: (address: string): boolean => recent(address).length >= atMost,
    failed(address: string): void {
      if (failures.size > 10_000) failures.clear();
      failures.set(address, [...recent(address), now()].slice(-atMost));
    },
  };
}
