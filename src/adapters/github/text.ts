/** One line of a remote system's text: no control or invisible characters, at most `max` characters. */
export function clean(text: string, max: number): string {
  const line = text.replace(/[\s\p{C}]+/gu, ' ').trim();
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}
