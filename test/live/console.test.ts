import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { holdpoint, newPlace, overHttp, ROOT, serverArgs, startHttp } from '../harness.ts';
import type { Agent, Place, RunningHttp } from '../harness.ts';
import { DESKTOP, hasChromium, PHONE, startBrowser, visitor, type Look, type Visitor } from './browser.ts';

const FAKE = join(ROOT, 'test/protocol/fake-server.ts');

describe.skipIf(!hasChromium)('the console in Chromium (I5 I6; the cluster is a fake)', () => {
  let browser: Browser;
  let place: Place;
  let http: RunningHttp;
  let agent: Agent;
  let alice: Visitor;
  /** What the page's own console said, and requests of it that failed. */
  let complaints: string[];

  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    place = newPlace();
    place.env['HOLDPOINT_TEST_RESTARTS'] = join(place.state, '..', 'restarts');
    expect((await holdpoint(place, 'approver', 'add', 'alice')).code).toBe(0);
    http = await startHttp(place, serverArgs(place, ['--http', '127.0.0.1:0'], FAKE));
    agent = await overHttp('2.x', http.url, http.token);
    alice = await visitor(browser);
    complaints = listenTo(alice.page);
  });
  afterEach(async () => {
    await alice.context.close();
    await agent.close();
    await http.stop();
    place.remove();
  });

  const origin = () => new URL(http.url.replace('127.0.0.1', 'localhost')).origin;
  const link = async (...more: string[]) =>
    (await holdpoint(place, 'console', 'link', '--as', 'alice', ...more)).stdout.trim();
  const button = (name: string | RegExp, page = alice.page) => page.getByRole('button', { name });
  const says = (text: string | RegExp, page = alice.page) => page.getByText(text).first().waitFor();
  const patches = () => {
    try {
      return readFileSync(place.env['HOLDPOINT_TEST_RESTARTS'] ?? '', 'utf8')
        .split('\n')
        .filter(Boolean).length;
    } catch {
      return 0;
    }
  };
  const restart = () =>
    agent.call('kubectl-rollout', { action: 'restart', kind: 'deployment', name: 'tta-api', namespace: 'tta-prod' });

  const remove = () => agent.call('remove-files', { paths: ['docker/old-compose.yml'] });
  const tickAll = async () => {
    for (const box of await alice.page.getByRole('checkbox').all()) await box.check();
    await says('All items of the checklist are ticked.');
  };

  async function enter(): Promise<void> {
    await alice.page.goto(await link());
    await button('Add a passkey').click();
    await button('Add a passkey').waitFor({ state: 'detached' });
    expect(await alice.passkeys()).toBe(1);
  }

  test('a link signs in once; a passkey is added, approves a held call that runs exactly once, and signs in later', async () => {
    const first = await link();
    await alice.page.goto(first);
    await says('Nothing waits for you.');
    expect(alice.page.url()).toBe(`${origin()}/console`);
    await button('Add a passkey').click();
    await button('Add a passkey').waitFor({ state: 'detached' });

    // The list follows what another process does.
    const { envelope } = await restart();
    expect(envelope.approval?.reviewUrl).toBe(`${origin()}/console/requests/${envelope.approval?.id}`);
    expect(envelope.next).toContain(envelope.approval?.reviewUrl);
    await alice.page.getByRole('link', { name: /restart deployment\/tta-api/ }).click();
    await says('0 of 1');
    expect(await alice.page.locator('#digest').textContent()).toBe(envelope.approval?.digest);
    expect(await alice.page.evaluate('document.activeElement.tagName')).toBe('H1');

    // A prompt that the person closes changes nothing.
    await alice.refusePrompts(true);
    await tickAll();
    await button('Approve').click();
    await says(/The passkey was not used/);
    const id = envelope.approval?.id ?? '';
    expect((await agent.call('approval', { action: 'status', id })).envelope.result).toMatchObject({
      state: 'pending',
    });
    await alice.refusePrompts(false);
    await button('Approve').click();
    await alice.page.locator('#status', { hasText: 'You approved it' }).waitFor({ state: 'attached' });
    await says(/Approved by alice/);
    expect(patches()).toBe(0);
    expect((await agent.call('approval', { action: 'run', id })).envelope.status).toBe('done');
    expect(patches()).toBe(1);
    await says('This request is done: there is nothing to decide.');
    expect((await agent.call('approval', { action: 'run', id })).envelope.status).toBe('error');
    expect(patches()).toBe(1);

    const shown = JSON.parse((await holdpoint(place, 'approvals', 'show', id, '--json')).stdout) as {
      decisions: { approver: string; key: string; digest: string }[];
    };
    expect(shown.decisions).toMatchObject([{ approver: 'alice', digest: envelope.approval?.digest }]);
    expect((await holdpoint(place, 'audit', 'verify')).code).toBe(0);

    await alice.page.getByRole('link', { name: 'alice' }).click();
    await button('Sign out').click();
    await button('Sign in with a passkey').click();
    await says('a passkey');
    expect(alice.page.url()).toBe(`${origin()}/console/account`);
    expect(complaints).toEqual([]);

    const stranger = await visitor(browser);
    await stranger.page.goto(first);
    await says(/it was used already/, stranger.page);
    await button('Sign in with a passkey', stranger.page).waitFor();
    await stranger.context.close();
  });

  test('a denial needs a reason, which the agent reads; an approval can be revoked', async () => {
    await enter();
    const { envelope } = await restart();
    const id = envelope.approval?.id ?? '';
    await alice.page.goto(envelope.approval?.reviewUrl ?? '');
    await button('Deny').click();
    await says('A denial needs a reason: the agent reads it.');
    await alice.page.getByLabel(/^Reason/).fill('not during the sale');
    await button('Deny').click();
    await says(/Denied by alice/);
    expect((await agent.call('approval', { action: 'status', id })).envelope.result).toMatchObject({
      state: 'denied',
      decisions: [{ approver: 'alice', decision: 'deny', reason: 'not during the sale' }],
    });

    const second = (await remove()).envelope.approval;
    await alice.page.goto(second?.reviewUrl ?? '');
    await button('Approve').click();
    await button('Revoke the approval').click();
    await says(/This request is revoked/);
    expect((await agent.call('approval', { action: 'run', id: second?.id })).envelope.status).toBe('denied');
    expect(complaints).toEqual([]);
  });

  test('what others wrote shows as text alone: no markup, no direction marks, no invisible letters', async () => {
    await enter();
    const path = 'docker/<b>*bold*</b> &amp; <img src=x>.yml';
    expect((await agent.call('save-file', { path, content: 'x' })).envelope.status).toBe('done');
    const { envelope } = await agent.call('remove-files', { paths: [path] });
    await alice.page.goto(envelope.approval?.reviewUrl ?? '');
    expect(await alice.page.locator('h1').textContent()).toContain(path);
    await alice.page.getByLabel(/^Reason/).fill('**no** <b>bold</b> \u202E\u200Bevil');
    await button('Deny').click();
    await says(/Denied by alice/);
    const text = await alice.page.locator('main').textContent();
    expect(text).toContain('**no** <b>bold</b> \\u{202e}\\u{200b}evil');
    expect(text).not.toMatch(/[\u202E\u200B]/);
    expect(await alice.page.locator('main b, main img, main script').count()).toBe(0);
  });

  test('no other site frames the console, sends it a change or reads from it', async () => {
    await enter();
    const { envelope } = await remove();
    const id = envelope.approval?.id ?? '';
    expect((await holdpoint(place, 'approvals', 'approve', id, '--as', 'alice')).code).toBe(0);
    const forger = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(`<!doctype html><title>forger</title><iframe src="${origin()}/console/requests/${id}"></iframe>`);
    });
    await new Promise<void>((done) => forger.listen(0, '127.0.0.1', done));
    try {
      // The same name with another port: the browser sends the cookie along, and still the other half is missing.
      const page = await alice.context.newPage();
      await page.goto(`http://localhost:${(forger.address() as AddressInfo).port}/`);
      const frame = page.frames().find((each) => each !== page.mainFrame());
      expect(await frame?.evaluate('document.querySelector("main")?.textContent ?? "nothing"')).toBe('nothing');
      const tried = await page.evaluate(
        async ([to, request]) => {
          const attempt = (path: string, init: RequestInit) =>
            fetch(`${to}/console/api/${path}`, { credentials: 'include', ...init }).then(
              ({ status, type }) => `${type} ${status}`,
              () => 'failed',
            );
          const json = { 'Content-Type': 'application/json', 'X-Holdpoint-Console': 'x' };
          return Promise.all([
            attempt('requests', {}),
            attempt(`requests/${request}/revoke`, { method: 'POST', mode: 'no-cors', body: '{"reason":"x"}' }),
            attempt(`requests/${request}/revoke`, { method: 'POST', headers: json, body: '{"reason":"x"}' }),
          ]);
        },
        [origin(), id] as const,
      );
      expect(tried).toEqual(['failed', 'failed', 'failed']);
    } finally {
      forger.closeAllConnections();
      forger.close();
    }
    expect((await agent.call('approval', { action: 'status', id })).envelope.result).toMatchObject({
      state: 'approved',
    });
  });

  test('it works with the keyboard alone, and says to screen readers what comes', async () => {
    await enter();
    const { page } = alice;
    await page.goto(`${origin()}/console`);
    await says('Nothing waits for you.');
    const { envelope } = await remove();
    await page.locator('#status', { hasText: '1 new request' }).waitFor({ state: 'attached' });
    const press = async (key: string, until: string) => {
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press(key);
        if ((await page.evaluate('document.activeElement.id')) === until) return;
      }
      throw new Error(`${key} did not lead to #${until}`);
    };
    await press('Tab', envelope.approval?.id ?? '');
    await page.keyboard.press('Enter');
    await says('0 of 1');
    await press('Tab', 'reason');
    await page.keyboard.type('typed');
    await press('Tab', 'approve');
    await page.keyboard.press('Enter');
    await says(/Approved by alice/);
    await page.locator('#status', { hasText: 'You approved it' }).waitFor({ state: 'attached' });
  });

  test('what is being written stays while the page follows what happens', async () => {
    await enter();
    const { envelope } = await restart();
    await alice.page.goto(envelope.approval?.reviewUrl ?? '');
    const reason = alice.page.getByLabel(/^Reason/);
    await reason.fill('half a sen');
    await agent.call('approval', { action: 'run', id: envelope.approval?.id ?? '' });
    await alice.page.locator('.records > li').nth(2).waitFor();
    expect(await reason.inputValue()).toBe('half a sen');
    expect(await alice.page.evaluate('document.activeElement.id')).toBe('reason');
  });

  const looks: Look[] = [DESKTOP, { ...DESKTOP, colorScheme: 'dark' }, PHONE, { ...PHONE, colorScheme: 'dark' }];
  test('axe finds nothing to object to on any page, light and dark, at a desk and on a phone; nothing is cut off', async () => {
    const { page } = alice;
    await page.goto(`${origin()}/console`);
    await button('Sign in with a passkey').waitFor();
    for (const look of looks) await inspect(page, look, 'sign-in');
    await page.goto(await link());
    const { envelope } = await restart();
    await says(/restart deployment/);
    for (const look of looks) await inspect(page, look, 'list, without a passkey');
    await enter();
    for (const path of ['', '?in=ended', '/audit', '/account', `/requests/${envelope.approval?.id}`]) {
      await page.goto(`${origin()}/console${path}`);
      await page.locator('h1').waitFor();
      for (const look of looks) await inspect(page, look, path);
    }
    await button('Deny').click();
    await says('A denial needs a reason: the agent reads it.');
    for (const look of looks) await inspect(page, look, 'a complaint');
    await tickAll();
    await button('Approve').click();
    await says(/Approved by alice/);
    for (const look of looks) await inspect(page, look, 'approved');
    await page.goto(`${origin()}/console/requests/apr_${'0'.repeat(32)}`);
    await says('There is no such request');
    for (const look of looks) await inspect(page, look, 'no such request');
  });
});

/** The page's scripts are its own alone: axe comes in past the CSP, through the debugger. */
async function inspect(page: Page, { colorScheme, width, height }: Look, where: string): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height });
  await page.evaluate(axe.source);
  const violations = await page.evaluate<string[]>(
    'axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" | ")))',
  );
  expect(violations, `${where}, ${colorScheme}, ${width} px`).toEqual([]);
  const wide = await page.evaluate('document.documentElement.scrollWidth');
  expect(wide, `${where}, ${width} px`).toBeLessThanOrEqual(width);
}

function listenTo(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    // Chromium logs every answer beyond 399, the 401 before anybody signed in as well.
    if (message.type() !== 'log' && !message.text().includes('the server responded with a status of 401'))
      complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}
