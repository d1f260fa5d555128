import { h } from './dom.ts';

/** How far the server's clock is ahead of this one, in milliseconds. */
let ahead = 0;

export function setServerTime(now: number): void {
  ahead = now - Date.now();
}

/** A moment, exactly: in the reader's own time zone, with the same in UTC behind it. */
export function moment(ms: number): HTMLElement {
  const iso = new Date(ms).toISOString();
  return h(
    'time',
    { datetime: iso, title: iso },
    new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' }),
  );
}

/** How long ago that was, or how long until then; kept current by `tick`. */
export function distance(ms: number, kind: 'since' | 'until'): HTMLElement {
  const element = h('time', {
    datetime: new Date(ms).toISOString(),
    title: new Date(ms).toLocaleString(),
    [`data-${kind}`]: String(ms),
  });
  write(element);
  return element;
}

export function tick(): void {
  for (const element of document.querySelectorAll<HTMLElement>('[data-since], [data-until]')) write(element);
}

function write(element: HTMLElement): void {
  const { since, until } = element.dataset;
  const now = Date.now() + ahead;
  const left = Number(until) - now;
  const text = since === undefined ? (left > 0 ? spell(left) : 'over') : `${spell(now - Number(since))} ago`;
  // Written only when it differs, so that nothing moves under a reader's cursor.
  if (element.textContent !== text) element.textContent = text;
  element.classList.toggle('soon', since === undefined && left < 300_000);
}

export function spell(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return minutes > 0 ? `${hours} h ${minutes} min` : `${hours} h`;
  if (minutes >= 10) return `${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
