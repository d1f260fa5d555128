/** Masks a text that comes in pieces: what goes out has no part of a secret that a piece's end cut in two. */
export interface StreamRedactor {
  /** Takes the next piece; gives what may go out by now, whole lines only. The rest is held back. */
  push: (piece: string) => string;
  /** The end: what was held back. */
  end: () => string;
  /** One line that must go out at once, as progress does: masked with what came before it in mind. */
  line: (line: string) => string;
}

/** Characters held back at most: past that a line goes out without its end. */
const MOST_HELD = 65_536;
/** Characters before a piece that it is read with. */
const CONTEXT = 4096;

const KEY_BEGINS = /-----BEGIN (?:[A-Z\d]{1,20} ){0,4}PRIVATE KEY/g;
const KEY_ENDS = /-----END (?:[A-Z\d]{1,20} ){0,4}PRIVATE KEY/;
/** A line that may go on in the next one: base64 broken over lines. */
const GOES_ON = /(?:^|\n)[^\n]*[\w+/=%-]{16}\r?\n$/;

/** @param redact a redactor's `text`: it keeps the lines of a text. */
export function createStreamRedactor(redact: (text: string) => string): StreamRedactor {
  /** What went out last, unmasked: what comes next may belong to it. Ends with a line's end, or is empty. */
  let context = '';
  let held = '';

  const release = (text: string): string => {
    const whole = redact(context + text);
    const shown = context === '' ? whole : afterLines(whole, linesIn(context));
    const read = context + text;
    // After a line without its end there is no telling which of the next belong to it.
    context = read.endsWith('\n') ? openPart(read) : '';
    return shown;
  };

  return {
    push(piece) {
      held += piece;
      const end = held.lastIndexOf('\n') + 1;
      const safe = held.length > MOST_HELD ? Math.max(end, held.length - CONTEXT) : holdBack(held, end);
      const out = held.slice(0, safe);
      held = held.slice(safe);
      return out === '' ? '' : release(out);
    },
    end() {
      const rest = held;
      held = '';
      return rest === '' ? '' : release(rest);
    },
    line(line) {
      // What is held back comes too late to go out, and still counts.
      if (held !== '') release(held.endsWith('\n') ? held : `${held}\n`);
      held = '';
      return release(`${line}\n`).slice(0, -1);
    },
  };
}

/** Where the whole lines end that cannot go on in what is to come. */
function holdBack(text: string, end: number): number {
  let safe = end;
  while (safe > 0 && GOES_ON.test(text.slice(Math.max(0, safe - 600), safe)))
    safe = text.lastIndexOf('\n', safe - 2) + 1;
  return safe;
}

/** What the next piece is read with: the last lines, and before them the beginning of a key whose end is still to come. */
function openPart(text: string): string {
  const tail = text.length <= CONTEXT ? text : text.slice(text.indexOf('\n', text.length - CONTEXT) + 1);
  const begins = [...text.matchAll(KEY_BEGINS)].at(-1)?.index;
  if (begins === undefined || begins >= text.length - tail.length || KEY_ENDS.test(text.slice(begins))) return tail;
  const line = text.indexOf('\n', begins);
  return line < 0 ? tail : `${text.slice(begins, line + 1)}${tail}`;
}

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}

function afterLines(text: string, count: number): string {
  let at = 0;
  for (let line = 0; line < count; line += 1) at = text.indexOf('\n', at) + 1;
  return text.slice(at);
}
