import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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

/** What of the hypertool persona in a folder is unknown here; undefined for every other folder. */
export async function hypertoolUnknown(folder: string): Promise<Imported['unknown'] | undefined> {
  const content: unknown = await readFile(join(folder, 'persona.yaml'), 'utf8').then(parse, () => undefined);
  return isHypertool(content) ? (await hypertoolPersona(content, folder)).unknown : undefined;
}
