/**
 * The beginning of a text, at most `max` characters, without part of a word at its end: half a secret has no secret's look,
 * and what is cut here is masked only afterwards.
 */
export function cutAtWord(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, max);
  return /\s/.test(text[max] ?? '') ? head.trimEnd() : head.replace(/\S+$/, '').trimEnd();
}

/** A text's beginning and its longer end, together at most `max` characters and a mark, cut as `cutAtWord` does. */
export function cutInside(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = Math.ceil(max * 0.6);
  const before = text[text.length - end - 1] ?? '';
  const tail = text.slice(-end);
  return `${cutAtWord(text, max - end)} … ${(/\s/.test(before) ? tail : tail.replace(/^\S+/, '')).trimStart()}`;
}
