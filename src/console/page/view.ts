import { byId, h, type Child } from './dom.ts';
import { Refusal } from './api.ts';
import { own } from './text.ts';
import type { Me } from './answers.ts';

/** One page of the console, as main.ts shows it. */
export interface View {
  title: string;
  /** Draws it for the first time, and again whenever something may have changed. */
  draw: () => Promise<void>;
}

export interface Frame {
  main: HTMLElement;
  /** Who is signed in. */
  me: Me;
  /** Asks anew who is signed in, and draws everything again. */
  reload: () => Promise<void>;
  go: (path: string) => void;
}

/** States by how they should look: waiting, good, bad, over. */
const TONES: Readonly<Record<string, string>> = {
  pending: 'waiting',
  approved: 'good',
  claimed: 'good',
  acting: 'good',
  done: 'good',
  denied: 'bad',
  failed: 'bad',
  revoked: 'bad',
  stale: 'bad',
  unknown: 'bad',
};

export function stateBadge(state: string): HTMLElement {
  return h('span', { class: `badge ${TONES[state] ?? 'over'}` }, state);
}

export function environmentBadge(environment: string | null): HTMLElement {
  const known = environment ?? 'files';
  return h('span', { class: `badge environment ${known === 'production' ? 'production' : ''}` }, own(known));
}

export function section(title: string, ...children: Child[]): HTMLElement {
  const id = `s-${title.toLowerCase().replaceAll(/\W+/g, '-')}`;
  return h('section', { 'aria-labelledby': id }, h('h2', { id }, title), ...children);
}

/** Names and values; those without a value are left out. */
export function facts(rows: readonly (readonly [name: Child, value: Child])[]): HTMLElement {
  return h(
    'dl',
    {},
    ...rows
      .filter(([, value]) => value !== undefined && value !== false && value !== '')
      .map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}

/** Shows what was refused or went wrong, where screen readers say it at once. */
export function complain(error: unknown): void {
  const hint = error instanceof Refusal ? error.hint : '';
  const says =
    error instanceof TypeError
      ? 'The server cannot be reached.'
      : error instanceof Error
        ? error.message
        : String(error);
  const close = h('button', { type: 'button', class: 'quiet', click: () => quiet() }, 'Close');
  byId('alert').replaceChildren(
    h('div', { class: 'notice bad' }, h('p', {}, own(says), hint ? ' ' : '', hint ? own(hint) : ''), close),
  );
}

export function quiet(): void {
  byId('alert').replaceChildren();
}

/** A button whose work cannot be started twice, and whose failure is said. */
export function button(label: string, id: string, kind: string, work: () => Promise<void>): HTMLButtonElement {
  const element: HTMLButtonElement = h('button', { type: 'button', id, class: kind, click: () => void run() }, label);
  const run = async () => {
    quiet();
    element.setAttribute('aria-busy', 'true');
    element.disabled = true;
    try {
      await work();
    } catch (error) {
      complain(error);
    } finally {
      element.disabled = false;
      element.removeAttribute('aria-busy');
    }
  };
  return element;
}
