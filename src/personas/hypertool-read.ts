import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

import { loadRegistry } from '../server/registry.ts';
import { importHypertool, type Imported } from './hypertool-import.ts';
import { isHypertool, loadPersona, shippedPersonas } from './persona.ts';

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

/** The hypertool persona in a folder as one of ours; undefined for every other folder. */
export async function hypertoolFolder(folder: string): Promise<Imported | undefined> {
  const content: unknown = await readFile(join(folder, 'persona.yaml'), 'utf8').then(parse, () => undefined);
  return isHypertool(content) ? hypertoolPersona(content, folder) : undefined;
}
