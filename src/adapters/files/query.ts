import { RE2JS } from 're2js';

import { HoldpointError } from '../../core/errors.ts';

const MAX_QUERY = 500;
/** Instructions of a compiled expression; each costs a step per character in the worst case. */
const MAX_PROGRAM = 2000;

/** How well a line answers a query; 0 not at all. Lines with `whole` outrank those without. */
export type LineTest = (line: string) => { score: number; whole: boolean };

const NO_MATCH = { score: 0, whole: false };

/**
 * A query as a test of one line. `/…/` and `/…/i` are regular expressions in RE2's syntax, which takes linear time and so
 * has no backreferences and no lookaround. Anything else is text: a line that has all of it, in any letter case, answers
 * whole; one that has some of its words, in part.
 *
 * @throws HoldpointError `invalid_input` for an empty, too long or faulty query.
 */
export function lineTest(query: string): LineTest {
  if (query.trim() === '')
    throw invalid('The query is empty.', 'Write the text to look for, or a regular expression as /…/.');
  if (query.length > MAX_QUERY)
    throw invalid(`The query is longer than ${MAX_QUERY} characters.`, 'Look for a shorter piece of it.');
  const expression = /^\/(?<source>.+)\/(?<flags>i?)$/s.exec(query)?.groups;
  return expression ? regexTest(expression['source'] ?? '', expression['flags'] === 'i') : textTest(query.trim());
}

function regexTest(source: string, ignoresCase: boolean): LineTest {
  const expression = compile();
  if (expression.programSize() > MAX_PROGRAM)
    throw invalid('The regular expression is too large.', 'Use fewer or smaller repetitions, such as * for {0,500}.');
  return (line) => (expression.test(line) ? { score: 1, whole: true } : NO_MATCH);

  function compile() {
    try {
      return RE2JS.compile(source, ignoresCase ? RE2JS.CASE_INSENSITIVE : 0);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, '') : 'unknown';
      throw invalid(
        `The regular expression is not valid: ${why}.`,
        'RE2 syntax: no lookaround, no backreferences. To look for text with slashes around it, leave them out.',
        cause,
      );
    }
  }
}

function textTest(text: string): LineTest {
  const wanted = text.toLowerCase();
  const words = [...new Set(wanted.match(/[\p{L}\p{N}_]{2,}/gu) ?? [])];
  return (line) => {
    const lower = line.toLowerCase();
    const at = lower.indexOf(wanted);
    if (at !== -1)
      return {
        score: 2 + (line.includes(text) ? 1 : 0) + (standsAlone(lower, at, wanted.length) ? 1 : 0),
        whole: true,
      };
    if (words.length < 2) return NO_MATCH;
    const score = words.filter((word) => lower.includes(word)).length / words.length;
    return { score, whole: false };
  };
}

/** Whether no letter or digit touches the piece, so that `api` beats `capital`. */
function standsAlone(line: string, at: number, length: number): boolean {
  const isWord = (character: string | undefined) => character !== undefined && /[\p{L}\p{N}_]/u.test(character);
  return !isWord(line[at - 1]) && !isWord(line[at + length]);
}

function invalid(message: string, hint: string, cause?: unknown): HoldpointError {
  return new HoldpointError('invalid_input', message, { hint, cause });
}
