import { readFile } from 'node:fs/promises';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';

import { HoldpointError } from '../core/errors.ts';

/** What is wrong at a place in a data file. */
export interface Fault {
  path: readonly PropertyKey[];
  says: string;
}

/**
 * A YAML file as its schema has it.
 *
 * @param check Further faults that the schema cannot see, such as names that nothing has.
 * @throws HoldpointError `invalid_input` with the file and the line of everything that is wrong; `not_found` where there is none.
 */
export async function readDataFile<S extends z.ZodType>(
  file: string,
  schema: S,
  check: (value: z.output<S>) => Fault[] = () => [],
): Promise<z.output<S>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new HoldpointError('not_found', `The file ${file} cannot be read.`, {
      hint: 'Write it, or correct the persona that names it.',
      cause,
    });
  });
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, uniqueKeys: true, prettyErrors: false });
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0)
    throw wrong(
      file,
      broken.map(({ pos, message }) => `${counter.linePos(pos[0]).line}: ${message}`),
    );
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return counter.linePos(node.range[0]).line;
    }
    return 1;
  };
  const lines = (faults: readonly Fault[]) => faults.map(({ path, says }) => `${lineOf(path)}: ${says}`);
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (!parsed.success)
    throw wrong(
      file,
      lines(
        parsed.error.issues.map(({ path, message }) => ({ path, says: `${path.join('.') || 'file'}: ${message}` })),
      ),
    );
  const faults = check(parsed.data);
  if (faults.length > 0) throw wrong(file, lines(faults));
  return parsed.data;
}

function wrong(file: string, says: string[]): HoldpointError {
  const shown = says.slice(0, 10).map((each) => `${file}:${each}`);
  return new HoldpointError('invalid_input', `${shown.join('; ')}.`, { hint: 'Correct these lines of the file.' });
}
