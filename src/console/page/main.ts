import { accountView } from './account.ts';
import type { Me } from './answers.ts';
import { get, Refusal } from './api.ts';
import { auditView } from './audit.ts';
import { byId, h, replaceContent } from './dom.ts';
import { listView } from './list.ts';
import { follow } from './live.ts';
import { requestView } from './request.ts';
import { drawSignIn, signInByLink, takeLink } from './sign-in.ts';
import { complain, quiet, type Frame, type View } from './view.ts';
import { tick } from './when.ts';

const main = byId('main');
let me: Me | undefined;
let view: View | undefined;
let stopFollowing: (() => void) | undefined;

function viewOf(frame: Frame): View {
  const id = /^\/console\/requests\/(apr_[0-9a-f]{32})$/.exec(location.pathname)?.[1];
  const query = new URLSearchParams(location.search);
  if (id !== undefined) return requestView(frame, id);
  if (location.pathname === '/console/audit') return auditView(frame, query);
  if (location.pathname === '/console/account') return accountView(frame);
  return listView(frame, query.get('in') ?? 'pending');
}

/** The page that the address names, from its beginning. */
async function show(): Promise<void> {
  quiet();
  if (!me) return signedOut();
  view = viewOf({
    main,
    get me() {
      return me as Me;
    },
    reload,
    go,
  });
  document.title = `${view.title} – Holdpoint`;
  for (const link of document.querySelectorAll('#nav a'))
    link.toggleAttribute('aria-current', link.getAttribute('href') === location.pathname);
  await draw();
}

async function draw(): Promise<void> {
  const drawn = view;
  try {
    await drawn?.draw();
  } catch (error) {
    if (drawn !== view) return;
    if (error instanceof Refusal && error.status === 401) return reload();
    if (error instanceof Refusal && error.status === 404)
      replaceContent(
        main,
        h('h1', { tabindex: '-1' }, 'There is no such request'),
        h('a', { href: '/console' }, 'All requests'),
      );
    complain(error);
  }
}

function go(path: string): void {
  history.pushState(null, '', path);
  void turnTo();
}

async function turnTo(): Promise<void> {
  await show();
  scrollTo(0, 0);
  document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
}

function signedOut(): void {
  me = undefined;
  view = undefined;
  stopFollowing?.();
  stopFollowing = undefined;
  byId('nav').hidden = true;
  document.title = 'Sign in – Holdpoint';
  drawSignIn(main, start);
}

/** Asks anew who is signed in, and draws the present page. */
async function reload(): Promise<void> {
  const before = me;
  me = await get<Me>('me').catch((error: unknown) => {
    if (error instanceof Refusal && error.status === 401) return undefined;
    throw error;
  });
  if (!me) return signedOut();
  if (before?.approver !== me.approver) return start();
  byId('account').textContent = me.approver;
  await draw();
}

async function start(): Promise<void> {
  me = await get<Me>('me').catch((error: unknown) => {
    if (!(error instanceof Refusal && error.status === 401)) complain(error);
    return undefined;
  });
  if (!me) return signedOut();
  byId('nav').hidden = false;
  byId('account').textContent = me.approver;
  await show();
  stopFollowing?.();
  stopFollowing = follow(() => void draw(), signedOut);
  document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
}

document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (
    !link ||
    event.defaultPrevented ||
    event.button !== 0 ||
    event.metaKey ||
    event.ctrlKey ||
    event.shiftKey ||
    event.altKey
  )
    return;
  if (!me || link.origin !== location.origin || !link.pathname.startsWith('/console') || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
addEventListener('popstate', () => void show());
setInterval(tick, 1000);

async function enter(): Promise<void> {
  const link = takeLink();
  try {
    if (link !== undefined) await signInByLink(link);
  } catch (error) {
    await start();
    return complain(error);
  }
  return start();
}

// A link that is opened where the console is open already changes the address alone.
addEventListener('hashchange', () => void (location.hash.startsWith('#link=') && enter()));
void enter();
