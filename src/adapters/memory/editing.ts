import { RE2JS } from 're2js';

import { HoldpointError } from '../../core/errors.ts';

export interface Replacement {
  oldText: string;
  newText: string;
  /** Whether oldText is a regular expression in RE2's syntax, over lines; `$!1` in newText is its first group. */
  regex: boolean;
  /** Whether it may occur more than once. */
  all: boolean;
}

const MAX_PATTERN = 2000;

/**
 * A text with one piece of it replaced, or every such piece.
 *
 * @throws HoldpointError `invalid_input` where it does not occur, or occurs more than once without `all`.
 */
export function replaced(text: string, { oldText, newText, regex, all }: Replacement): string {
  if (oldText === '')
    throw new HoldpointError('invalid_input', 'oldText is empty.', { hint: 'Give the piece to replace.' });
  const found = regex ? byPattern(text, oldText, newText) : byText(text, oldText, newText);
  if (found.length === 0)
    throw new HoldpointError(
      'invalid_input',
      `${regex ? 'The expression matches nothing' : 'oldText does not occur'} in this memory.`,
      {
        hint: 'Read the memory and copy the piece exactly; the front matter is not part of the text.',
      },
    );
  if (found.length > 1 && !all)
    throw new HoldpointError('invalid_input', `oldText occurs ${found.length} times; it must be the only one.`, {
      hint: 'Add text around it, so that it means one place; or give "all": true.',
    });
  let at = 0;
  const parts = found.map(({ start, end, by }) => {
    const part = text.slice(at, start) + by;
    at = end;
    return part;
  });
  return parts.join('') + text.slice(at);
}

interface Piece {
  start: number;
  end: number;
  by: string;
}

function byText(text: string, piece: string, by: string): Piece[] {
  const found: Piece[] = [];
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + piece.length))
    found.push({ start: at, end: at + piece.length, by });
  return found;
}

function byPattern(text: string, pattern: string, by: string): Piece[] {
  const matcher = compiled(pattern).matcher(text);
  const found: Piece[] = [];
  while (matcher.find()) {
    if (matcher.end() === matcher.start()) throw faulty('it matches the empty text');
    const groups = matcher.groupCount();
    found.push({
      start: matcher.start(),
      end: matcher.end(),
      by: by.replace(/\$!(\d{1,2})/g, (whole, digits: string) =>
        Number(digits) <= groups ? (matcher.group(Number(digits)) ?? '') : whole,
      ),
    });
  }
  return found;
}

function compiled(pattern: string): RE2JS {
  if (pattern.length > MAX_PATTERN) throw faulty(`it has more than ${MAX_PATTERN} characters`);
  let expression: RE2JS;
  try {
    expression = RE2JS.compile(pattern, RE2JS.DOTALL | RE2JS.MULTILINE);
  } catch (cause) {
    throw faulty(cause instanceof Error ? cause.message.replace(/^error parsing regexp: /, '') : 'unknown', cause);
  }
  if (expression.programSize() > MAX_PATTERN) throw faulty('it is too large');
  return expression;
}

function faulty(why: string, cause?: unknown): HoldpointError {
  return new HoldpointError('invalid_input', `The regular expression is not valid here: ${why}.`, {
    hint: 'RE2 syntax: no lookaround, no backreferences. Exact text needs no expression.',
    cause,
  });
}
