import type { Json, JsonObject } from '../core/json.ts';

export interface Bounded {
  value: JsonObject;
  /** Bytes of JSON left out; 0 when all is there. */
  cut: number;
}

const size = (value: Json): number => Buffer.byteLength(JSON.stringify(value));

/**
 * A result cut to a budget of JSON bytes: the longest strings and arrays lose their middle or end, and say so where they
 * were cut; small fields stay whole.
 */
export function bound(value: JsonObject, maxBytes: number): Bounded {
  const whole = size(value);
  if (whole <= maxBytes) return { value, cut: 0 };
  for (let share = maxBytes; share >= 64; share = Math.floor(share / 2)) {
    const shorter = shorten(value, share) as JsonObject;
    const left = size(shorter);
    if (left <= maxBytes) return { value: shorter, cut: whole - left };
  }
  return { value: { cut: `The result of ${whole} bytes does not fit.` }, cut: whole };
}

function shorten(value: Json, share: number): Json {
  if (typeof value === 'string') return cutText(value, share);
  if (Array.isArray(value)) {
    const kept: Json[] = [];
    let used = 0;
    for (const item of value) {
      const shorter = shorten(item, Math.floor(share / 2));
      used += size(shorter) + 1;
      if (used > share) break;
      kept.push(shorter);
    }
    return kept.length === value.length ? kept : [...kept, `… ${value.length - kept.length} more`];
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shorten(inner, share)]));
}

/** Keeps the first two thirds and the last third of a text that is too long, whole lines where there are lines. */
export function cutText(text: string, maxBytes: number): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  const mark = (gone: number) => `\n… ${gone} bytes left out …\n`;
  const room = Math.max(16, maxBytes - mark(bytes).length);
  let head = text.slice(0, Math.floor((room * 2) / 3));
  let tail = text.slice(text.length - Math.floor(room / 3));
  while (Buffer.byteLength(head) + Buffer.byteLength(tail) > room && head.length > 1) {
    head = head.slice(0, Math.floor(head.length * 0.9));
    tail = tail.slice(Math.ceil(tail.length * 0.1));
  }
  const lastLine = head.lastIndexOf('\n');
  if (lastLine > head.length / 2) head = head.slice(0, lastLine);
  const firstLine = tail.indexOf('\n');
  if (firstLine >= 0 && firstLine < tail.length / 2) tail = tail.slice(firstLine + 1);
  head = head.replace(/[\uD800-\uDBFF]$/, '');
  tail = tail.replace(/^[\uDC00-\uDFFF]/, '');
  return head + mark(bytes - Buffer.byteLength(head) - Buffer.byteLength(tail)) + tail;
}
