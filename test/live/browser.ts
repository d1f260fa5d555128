import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright-core';

/** Debian's package puts it there; `scripts/live/up` installs it. */
const CHROMIUM = '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);

export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

export interface Look {
  colorScheme: 'light' | 'dark';
  width: number;
  height: number;
}

export const DESKTOP: Look = { colorScheme: 'light', width: 1280, height: 900 };
export const PHONE: Look = { colorScheme: 'light', width: 360, height: 740 };

/** A person's browser with an authenticator that always says yes; what it signs is real. */
export interface Visitor {
  context: BrowserContext;
  page: Page;
  /** How many passkeys the authenticator has. */
  passkeys: () => Promise<number>;
  /** The next prompts fail, as when the person closes them, until they are let through again. */
  refusePrompts: (refuse: boolean) => Promise<void>;
}

export async function visitor(browser: Browser, { colorScheme, width, height }: Look = DESKTOP): Promise<Visitor> {
  const context = await browser.newContext({ colorScheme, viewport: { width, height }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const cdp: CDPSession = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    context,
    page,
    passkeys: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
    async refusePrompts(refuse) {
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: !refuse });
    },
  };
}
