import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

import { loadRegistry } from '../server/registry.ts';
import { importHypertool, isHypertool, type Imported } from './hypertool-import.ts';
import { loadPersona, shippedPersonas } from './persona.ts';

/** The content of a hypertool persona's file as one of ours, with what of it is unknown here. */
export async function hypertoolPersona(content: unknown, folder: string): Promise<Imported> {
  const registry = await loadRegistry();
  const shipped = shippedPersonas();
  return importHypertool(content, {
    folder,
    knows: (tool) => registry.has(tool),
    base: (name) => loadPersona(shipped.includes(name) ? name : 'devops'),
  });
}

/** What of a hypertool persona, by folder or file, is unknown here; undefined for everything else. */
export async function hypertoolUnknown(named: string): Promise<Imported['unknown'] | undefined> {
  const file = /\.ya?ml$/.test(named) ? named : join(named, 'persona.yaml');
  const content: unknown = await readFile(file, 'utf8').then(parse, () => undefined);
  if (!isHypertool(content)) return undefined;
  return (await hypertoolPersona(content, dirname(file))).unknown;
}
