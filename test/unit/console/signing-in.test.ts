import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { createAttempts, createChallenges } from '../../../src/console/challenges.ts';
import { openLinks } from '../../../src/console/links.ts';
import { createSessions } from '../../../src/console/sessions.ts';

const PLACE = { origin: 'http://localhost:7117', rpId: 'localhost', secure: false };
const ALICE = { name: 'alice', addedAt: '1970-01-01T00:00:00.000Z' };

let keys: string;
let now = 1_000_000;
beforeEach(() => {
  keys = mkdtempSync(join(tmpdir(), 'holdpoint-links-'));
});
afterEach(() => rmSync(keys, { recursive: true, force: true }));

test('I5 a link’s token is stored as its hash alone, for its owner alone; it is spent once, and only in time', () => {
  const links = openLinks(keys);
  const token = links.make('alice', now + 1000, now);
  const [file = ''] = readdirSync(join(keys, 'console-links'));
  expect(file + readFileSync(join(keys, 'console-links', file), 'utf8')).not.toContain(token);
  expect(statSync(join(keys, 'console-links', file)).mode & 0o777).toBe(0o600);
  expect(links.spend(token.slice(1), now)).toBeUndefined();
  expect(openLinks(keys).spend(token, now + 1000)).toBe('alice');
  expect(links.spend(token, now)).toBeUndefined();

  const late = links.make('alice', now + 1000, now);
  expect(links.spend(late, now + 1001)).toBeUndefined();
  expect(links.spend(late, now)).toBeUndefined();
  links.make('alice', now + 1000, now);
  links.make('alice', now + 9000, now + 2000);
  expect(readdirSync(join(keys, 'console-links'))).toHaveLength(1);
});

test('I5 a session wants both its halves, ends with its time, and lets a link add one passkey within ten minutes', () => {
  const sessions = createSessions(3_600_000, () => now);
  const began = now;
  const { session, cookie, pageKey } = sessions.open(ALICE, 'link', undefined, PLACE);
  expect(cookie).toMatch(/^holdpoint-console=[\w-]{43}; Path=\/console; Max-Age=3600; HttpOnly; SameSite=Strict$/);
  const pair = cookie.split(';')[0];
  const asks = (headers: Record<string, string | undefined>) =>
    sessions.find({ headers } as unknown as IncomingMessage);
  expect(asks({ cookie: pair, 'x-holdpoint-console': pageKey })).toBe(session);
  expect(asks({ cookie: `a=b; ${pair}; c`, 'x-holdpoint-console': pageKey })).toBe(session);
  expect(asks({ cookie: pair })).toBeUndefined();
  expect(asks({ 'x-holdpoint-console': pageKey })).toBeUndefined();
  expect(asks({ cookie: pair, 'x-holdpoint-console': `${pageKey}x` })).toBeUndefined();
  expect(asks({ cookie: `${pair}x`, 'x-holdpoint-console': pageKey })).toBeUndefined();

  expect(session.mayEnrol(began + 600_000)).toBe(true);
  expect(session.mayEnrol(began + 600_001)).toBe(false);
  sessions.enrolled(session, 'key');
  expect(session.mayEnrol(began)).toBe(false);
  expect(sessions.open(ALICE, 'passkey', 'key', PLACE).session.mayEnrol(began)).toBe(false);

  now += 3_600_001;
  expect(asks({ cookie: pair, 'x-holdpoint-console': pageKey })).toBeUndefined();
  expect(sessions.isOpen(session)).toBe(false);
});

test('I6 a challenge is taken back once, in time, for its purpose', () => {
  const challenges = createChallenges(() => now);
  const challenge = challenges.make('sign-in');
  expect(Buffer.from(challenge, 'base64url')).toHaveLength(32);
  expect(challenges.take(challenge, 'enrol alice')).toBe(false);
  expect(challenges.take(challenge, 'sign-in')).toBe(true);
  expect(challenges.take(challenge, 'sign-in')).toBe(false);
  const late = challenges.make('sign-in');
  now += 300_001;
  expect(challenges.take(late, 'sign-in')).toBe(false);
});

test('I5 failed attempts count for a minute and for their own address', () => {
  const attempts = createAttempts(3, () => now);
  for (const _ of [1, 2, 3]) attempts.failed('a');
  expect([attempts.tooMany('a'), attempts.tooMany('b')]).toEqual([true, false]);
  now += 60_001;
  expect(attempts.tooMany('a')).toBe(false);
});
