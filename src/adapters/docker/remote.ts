import { HoldpointError } from '../../core/errors.ts';

/** Anything with a scheme, and Git's `user@host:path`, wherever it stands in an ADD. */
const REMOTE = /:\/\/|[\w-]+@[\w.-]+:/;
/** White space as the Engine's language has it: with U+0085, without the byte order mark. */
const SPACE = String.raw`(?:[^\S\uFEFF]|\x85)`;
const QUOTING = /["'\\`]/g;
/** Sticky; what follows it is the rest of the instruction. */
const ADD = new RegExp(`${SPACE}*(?:ONBUILD${SPACE}+)?ADD${SPACE}+`, 'iy');
const NOTHING = new RegExp(`^${SPACE}*(?:#|$)`);
/** What parts the words of an instruction: less than JavaScript's \s, which would take a word for a space. */
const BETWEEN = /[\t\v\f\r\n ]+/;
/** Engines differ in how many carriage returns they take off before they look for the sign that a line goes on. */
const STRAY_RETURN = /\r(?!\n)/;

/**
 * Refuses an ADD that takes something from elsewhere, or that a variable could make do so: the Engine itself would fetch it,
 * with the reach of its own machine. It reads lines as the Engine does but where there may be a here-document, or a stray
 * carriage return: there every line counts as the beginning of an instruction, since the line that ends a document can look
 * like a comment or like one that goes on. To mistake what a document holds for an instruction is safe, the opposite not.
 *
 * @throws HoldpointError `denied` with the line, never its text.
 */
export function refuseRemoteSources(dockerfile: string): void {
  const escapes = /escape\s*=\s*`/i.test(dockerfile) ? ['\\', '`'] : ['\\'];
  const anywhere = dockerfile.includes('<') || STRAY_RETURN.test(dockerfile);
  for (const escape of escapes) {
    for (const { text, starts } of logicalLines(dockerfile, escape)) {
      // The first ADD's rest has all that a later one's has.
      const start = (anywhere ? starts : starts.slice(0, 1)).find(({ at }) => endOfAdd(text, at) > 0);
      if (start === undefined) continue;
      const rest = text.slice(endOfAdd(text, start.at));
      const why = [rest, jsonDecoded(rest)].map(remoteReason).find((reason) => reason !== undefined);
      if (why === undefined) continue;
      throw new HoldpointError('denied', `Line ${start.line} of the Dockerfile has an ADD ${why}.`, {
        rule: 'build-context',
        hint: 'Fetch it in CI, or COPY a file of the workspace. Before a name with a variable write ./ or use COPY.',
      });
    }
  }
}

/** Where an ADD at this place has its sources; 0 for none. */
function endOfAdd(text: string, at: number): number {
  ADD.lastIndex = at;
  ADD.test(text);
  return ADD.lastIndex;
}

function remoteReason(rest: string): string | undefined {
  // The Engine drops quotes and escapes wherever they stand in a word.
  const plain = rest.replace(QUOTING, '');
  if (REMOTE.test(plain)) return 'from a remote address, which the Engine would fetch';
  // After a folder's name no value makes a word an address.
  const open = sources(rest, plain).some((word) => word.includes('$') && !/^[^$:@]*\//.test(word));
  return open ? 'from a variable, which may stand for a remote address' : undefined;
}

/** The last word is the destination, be it `""` or `--`; in JSON it is not told from the sources, and counts as one. */
function sources(rest: string, plain: string): string[] {
  if (plain.includes('[')) return plain.split(/[\s,[\]]+/).filter((word) => !word.startsWith('--'));
  const words = rest.split(BETWEEN).filter((word) => word !== '');
  const first = words.findIndex((word) => !word.startsWith('--'));
  return words.slice(first, -1).map((word) => word.replace(QUOTING, ''));
}

function jsonDecoded(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/gi, (_whole, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

interface LogicalLine {
  text: string;
  /** Where its lines begin in the text, and the line's number; of lines that are not blank. */
  starts: { at: number; line: number }[];
}

/** Continued lines as one, nothing put between them, as an instruction or an address may be broken anywhere. */
function* logicalLines(dockerfile: string, escape: string): Generator<LogicalLine> {
  const continued = escape === '`' ? /(?<!`)`[ \t]*$/ : /(?<!\\)\\[ \t]*$/;
  let text = '';
  let starts: LogicalLine['starts'] = [];
  for (const [index, line] of dockerfile
    .replace(/^\uFEFF/, '')
    .split(/\r*\n/)
    .entries()) {
    // Comments and empty lines may stand inside a continued instruction.
    if (NOTHING.test(line)) continue;
    const part = line.replace(continued, '');
    if (part.trim() !== '') starts.push({ at: text.length, line: index + 1 });
    text += part;
    if (continued.test(line)) continue;
    yield { text, starts };
    text = '';
    starts = [];
  }
  if (text !== '') yield { text, starts };
}
