import { keepPageKey, post } from './api.ts';
import { announce, h, replaceContent } from './dom.ts';
import { hasPasskeys, signWithPasskey } from './passkey.ts';
import { button } from './view.ts';

/** The token of a one-time link, which is in the part of the address that is sent to no server; it is taken out of it. */
export function takeLink(): string | undefined {
  const token = /^#link=([\w-]+)$/.exec(location.hash)?.[1];
  if (token !== undefined) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

export async function signInByLink(token: string): Promise<void> {
  const { pageKey } = await post<{ pageKey: string }>('sign-in/link', { token });
  keepPageKey(pageKey);
}

async function signInByPasskey(): Promise<void> {
  const { nonce, challenge, rpId } = await post<{ nonce: string; challenge: string; rpId: string }>('sign-in/begin');
  const assertion = await signWithPasskey(challenge, rpId);
  const { pageKey } = await post<{ pageKey: string }>('sign-in/passkey', { nonce, assertion });
  keepPageKey(pageKey);
}

/** For who is not signed in. */
export function drawSignIn(main: HTMLElement, done: () => Promise<void>): void {
  const enter = button('Sign in with a passkey', 'sign-in', 'primary', async () => {
    await signInByPasskey();
    announce('You are signed in.');
    await done();
  });
  replaceContent(
    main,
    h(
      'div',
      { class: 'card narrow' },
      h('h1', { tabindex: '-1' }, 'Sign in'),
      h('p', {}, 'This is where people look at what an agent wants to do, and approve or deny it.'),
      hasPasskeys()
        ? enter
        : h(
            'p',
            { class: 'notice bad' },
            'This browser has no passkeys here. Open the console over https, or at http://localhost.',
          ),
      h('h2', {}, 'For the first time'),
      h('p', {}, 'Make a link on the machine where Holdpoint’s keys are, open it here, and add a passkey:'),
      h('pre', { tabindex: '0', 'aria-label': 'Command' }, 'holdpoint console link --as NAME'),
    ),
  );
}
