import { HoldpointError } from '../../core/errors.ts';

/** What a document is refused with: which file, which line, what is wrong. */
export function unusable(file: string, line: number | undefined, says: string): HoldpointError {
  return new HoldpointError('invalid_input', `${file}${line === undefined ? '' : `:${line}`}: ${says}.`, {
    hint: 'Correct the document and try again; docs/persona-documents.md says what is read from one.',
  });
}
