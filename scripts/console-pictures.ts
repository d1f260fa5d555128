/** Takes the pictures of the console in docs/images, with Chromium, over a cluster in memory. */
import { mkdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { holdpoint, newPlace, overHttp, serverArgs, startHttp } from '../test/harness.ts';
import { DESKTOP, PHONE, startBrowser, visitor } from '../test/live/browser.ts';

const ROOT = resolve(import.meta.dirname, '..');
const IMAGES = join(ROOT, 'docs/images');
const MOST_BYTES = 150 * 1024;

const place = newPlace();
await holdpoint(place, 'approver', 'add', 'alice');
const fake = join(ROOT, 'test/protocol/fake-server.ts');
const http = await startHttp(place, serverArgs(place, ['--http', '127.0.0.1:0'], fake));
const agent = await overHttp('2.x', http.url, http.token);
const browser = await startBrowser();
try {
  mkdirSync(IMAGES, { recursive: true });
  await agent.call('remove-files', { paths: ['docker/old-compose.yml'] });
  const restart = { action: 'restart', kind: 'deployment', name: 'tta-api', namespace: 'tta-prod' };
  const review = (await agent.call('kubectl-rollout', restart)).envelope.approval?.reviewUrl ?? '';
  const { page } = await visitor(browser, DESKTOP);
  const look = async (name: string, { colorScheme, width, height }: typeof DESKTOP) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    const path = join(IMAGES, `${name}.png`);
    await page.screenshot({ path });
    const { size } = statSync(path);
    console.log(`${path}: ${size} bytes`);
    if (size > MOST_BYTES) throw new Error(`${path} is larger than ${MOST_BYTES} bytes`);
  };
  await page.goto((await holdpoint(place, 'console', 'link', '--as', 'alice')).stdout.trim());
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByRole('button', { name: 'Add a passkey' }).waitFor({ state: 'detached' });
  await look('console-list', { ...DESKTOP, width: 1120, height: 420 });
  await page.goto(review);
  await page.getByRole('button', { name: 'Approve' }).waitFor();
  await look('console-light', { ...DESKTOP, width: 1120, height: 760 });
  await look('console-dark', { ...DESKTOP, colorScheme: 'dark', width: 1120, height: 760 });
  await look('console-phone', { ...PHONE, colorScheme: 'light' });
} finally {
  await browser.close();
  await agent.close();
  await http.stop();
  place.remove();
}
