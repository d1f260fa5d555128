/** What a process wrote and nobody has read yet, up to a limit; the oldest goes first. */
export interface Output {
  add(text: string): void;
  /**
   * Takes what was written since the last call, at most `maxBytes` as JSON; cut at a line's end where there is one, because
   * half a line could hide half a secret from redaction.
   *
   * @param ended whether no more will come, so that a last line without an end counts as one.
   */
  take(maxBytes: number, ended: boolean): { output: string; unread: number; dropped: number };
}

/** @param limit characters kept. */
export function createOutput(limit: number): Output {
  let text = '';
  let dropped = 0;
  return {
    add(more) {
      text += more;
      if (text.length <= limit * 1.25) return;
      const end = text.indexOf('\n', text.length - limit);
      const from = end === -1 || end > text.length - limit / 2 ? text.length - limit : end + 1;
      dropped += from;
      text = text.slice(from);
    },
    take(maxBytes, ended) {
      const most = fitting(text, maxBytes);
      const whole = ended && most === text.length;
      const line = text.lastIndexOf('\n', most - 1) + 1;
      const end = whole || (line === 0 && most < text.length) ? most : line;
      const output = plain(text.slice(0, end));
      text = text.slice(end);
      const taken = { output, unread: text.length, dropped };
      dropped = 0;
      return taken;
    },
  };
}

/** How many characters of `text` take at most `maxBytes` as JSON. */
function fitting(text: string, maxBytes: number): number {
  let low = 0;
  let high = Math.min(text.length, maxBytes);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (Buffer.byteLength(JSON.stringify(text.slice(0, middle))) <= maxBytes) low = middle;
    else high = middle - 1;
  }
  // Never between the halves of a pair.
  return /[\uD800-\uDBFF]/.test(text[low - 1] ?? '') ? low - 1 : low;
}

// oxlint-disable-next-line no-control-regex -- control characters are what it is about
const ESCAPES = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g;

/** Without terminal escapes and other control characters: output is data, and is shown to people on terminals too. */
export function plain(text: string): string {
  return text
    .replace(ESCAPES, '')
    .replace(/\r\n/g, '\n')
    .replace(/(?![\n\t])[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, '');
}
