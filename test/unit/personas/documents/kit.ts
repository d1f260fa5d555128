import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { importing as importingAnew } from '../../../../src/cli/persona-document.ts';
import type { Decision } from '../../../../src/core/decision.ts';
import { besideWith, CHECKLIST_FILE } from '../../../../src/personas/documents/checklists.ts';
import { readDocument, type ImportScope, type ReadPersona } from '../../../../src/personas/documents/import.ts';
import { locateDocument } from '../../../../src/personas/documents/locate.ts';
import { decide } from '../../../../src/policy/decide.ts';
import { checkedPolicy } from '../../../../src/policy/load.ts';
import type { Policy } from '../../../../src/policy/policy.ts';

/** This server's tools and programs, read once. */
export const importing = (): Promise<ImportScope> => (scope ??= importingAnew());
let scope: Promise<ImportScope> | undefined;

const policies = new Map<string, Policy>();

/** A document of these bytes on the disk. */
export function fileOf(text: string | Buffer, name = 'persona.md'): string {
  const file = join(mkdtempSync(join(tmpdir(), 'holdpoint-document-')), name);
  writeFileSync(file, text);
  return file;
}

/** Reads a document as an import does. */
export async function imported(text: string | Buffer, name = 'persona.md', agent = ''): Promise<ReadPersona> {
  const located = locateDocument(fileOf(text, name) + agent);
  if (located === undefined) throw new Error(`${name} is no document's name`);
  return readDocument(located, await importing());
}

/** What the generated policy is read with: its own checklist is in no folder yet. */
export async function scopeOf({ files }: ReadPersona): Promise<ImportScope> {
  return { ...(await importing()), beside: besideWith(files[CHECKLIST_FILE]) };
}

/** What the generated policy says to a call. */
export async function decided(persona: ReadPersona, tool: string, input: Record<string, unknown>): Promise<Decision> {
  const scope = await scopeOf(persona);
  const text = persona.files['policy.yaml'];
  const policy = policies.get(text) ?? checkedPolicy(text, 'policy.yaml', scope);
  policies.set(text, policy);
  const found = scope.tools(tool);
  if (found === undefined) throw new Error(`there is no tool ${tool}`);
  const targets = found.targets(found.input.parse(input), {
    facts: {
      kubernetes: { contexts: {} },
      docker: { host: 'local' },
      github: {},
      monitoring: {},
      programs: scope.facts?.programs ?? {},
    },
  });
  return decide(policy, { principal: { person: 'p', agent: 'a', client: 'c' }, tool, targets }, undefined);
}

export const save = (path: string) => ({ path, content: 'x' });

/** The front matter and heading that a document needs at least, and more lines. */
export const withFront = (front: string, body = '') =>
  `---\nname: tester\ndescription: Tests what documents may say.\n${front}---\n\n# Tester\n\n${body}`;
