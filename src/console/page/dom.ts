type Attribute = string | boolean | undefined | ((event: Event) => void);
export type Child = Node | string | undefined | false;

/**
 * Makes an element. Text becomes text nodes, never HTML; a function listens to the event of its name (`click`); true sets an
 * empty attribute, false and undefined none.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== false));
  return element;
}

/** The page's own elements, all of which index.html has. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found;
}

/** Puts new content in, leaving the focus, the cursor and opened details where they were, by their ids. */
export function replaceContent(parent: Element, ...children: readonly Child[]): void {
  const active = document.activeElement;
  const focused = active && parent.contains(active) && active.id !== '' ? active : undefined;
  const selection =
    focused instanceof HTMLTextAreaElement || (focused instanceof HTMLInputElement && focused.type === 'text')
      ? ([focused.selectionStart, focused.selectionEnd] as const)
      : undefined;
  const opened = [...parent.querySelectorAll('details[open][id]')].map(({ id }) => id);
  parent.replaceChildren(...children.filter((child) => child !== undefined && child !== false));
  for (const id of opened) document.getElementById(id)?.setAttribute('open', '');
  if (!focused) return;
  const again = document.getElementById(focused.id);
  again?.focus({ preventScroll: true });
  if (selection && (again instanceof HTMLTextAreaElement || again instanceof HTMLInputElement))
    again.setSelectionRange(...selection);
}

/** Says something to screen readers without moving the focus. */
export function announce(text: string): void {
  byId('status').textContent = text;
}
