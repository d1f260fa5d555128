import { resolve } from 'node:path';

/** A persona document: its file, and the agent that is meant where it has several. */
export interface Located {
  file: string;
  agent?: string;
}

/** Whether what was named as a persona is a document: Markdown, text or JSON, with `#name` for one agent of several. */
export function locateDocument(named: string): Located | undefined {
  const [, file = '', agent] = /^(.+\.(?:md|markdown|mdc|txt|jsonc?))(?:#(.+))?$/i.exec(named) ?? [];
  return file === '' ? undefined : { file: resolve(file), ...(agent === undefined ? {} : { agent }) };
}
