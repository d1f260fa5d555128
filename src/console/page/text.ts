import { h } from './dom.ts';
import { pieces } from './plain.ts';

/** What the agent or another system wrote, on one line: marked, and what would act shown as its code point. */
export function foreign(text: string): HTMLElement {
  return h('span', { class: 'foreign' }, ...shown(text.replaceAll(/\s*[\r\n]+\s*/g, ' ⏎ ')));
}

/** What the policy, the settings or Holdpoint itself says: not marked, and made plain all the same. */
export function own(text: string): HTMLElement {
  return h('span', {}, ...shown(text));
}

/** What others wrote, on lines of its own, in a frame that nothing in it can leave. */
export function foreignBlock(text: string, label: string): HTMLElement {
  const diff = /^@@ .* @@/m.test(text);
  const lines = text.split('\n').map((line) => {
    const kind = diff && /^\+(?!\+\+ )/.test(line) ? 'added' : diff && /^-(?!-- )/.test(line) ? 'removed' : undefined;
    return h('span', { class: kind ? `line ${kind}` : 'line' }, ...shown(line), '\n');
  });
  return h('pre', { class: 'foreign', tabindex: '0', role: 'region', 'aria-label': label }, ...lines);
}

/** A JSON value as it is, such as a step's call. */
export function verbatim(value: unknown, label: string): HTMLElement {
  const text =
    Array.isArray(value) && value.every((each) => typeof each !== 'object')
      ? JSON.stringify(value)
      : JSON.stringify(value, null, 2);
  return foreignBlock(text, label);
}

function shown(text: string): (string | HTMLElement)[] {
  return pieces(text).map((piece) =>
    piece.acts
      ? h('span', { class: 'escape', title: 'A character that shows as nothing, or acts' }, piece.text)
      : piece.text,
  );
}
