/** Levels of a message; arguments have a smaller bound of their own, whose answer an agent gets as a result. */
const MAX_DEPTH = 64;
/** Values of a message: each costs far more memory than its characters. */
const MAX_VALUES = 500_000;

/** What JSON text holds that `JSON.parse` would take without a word. */
export interface Finding {
  message: string;
  /** The key, where one is wrong: the rest can be parsed. */
  key?: string;
}

/**
 * Looks through JSON text before it is parsed, without recursion: too deep, too many values, a key twice in one object (of
 * which `JSON.parse` keeps the last, and the next reader maybe the first), `__proto__`. Of text that is no JSON it says
 * nothing.
 */
export function scan(text: string): Finding | undefined {
  /** The keys of each open object so far; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at);
        const keys = open.at(-1);
        if (keys && isKey(text, end)) {
          const key = keyOf(text.slice(at, end));
          if (key === '__proto__') return { message: 'The key "__proto__" is not allowed.', key };
          if (key !== undefined && keys.has(key))
            return { message: `The key ${JSON.stringify(key.slice(0, 60))} is there twice in one object.`, key };
          if (key !== undefined) keys.add(key);
        }
        at = end - 1;
        break;
      }
      case 0x7b:
      case 0x5b:
        open.push(text[at] === '{' ? new Set() : undefined);
        if (open.length > MAX_DEPTH) return { message: `The message is nested more than ${MAX_DEPTH} levels deep.` };
        values++;
        break;
      case 0x7d:
      case 0x5d:
        open.pop();
        break;
      case 0x2c:
        values++;
        break;
      default:
    }
    if (values > MAX_VALUES) return { message: `The message has more than ${MAX_VALUES} values.` };
  }
  return undefined;
}

/** Where the string that begins at `start` ends: just after its closing quote, or at the end of the text. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

function isKey(text: string, end: number): boolean {
  let at = end;
  while (' \t\r\n'.includes(text[at] ?? 'x')) at++;
  return text[at] === ':';
}

function keyOf(literal: string): string | undefined {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}
