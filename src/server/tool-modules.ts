import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const TOOLS = resolve(import.meta.dirname, '../tools');

/** Every module of `tools/<toolset>/` by its file's name. The build puts the list of them in this function's place. */
export async function toolModules(folder: string = TOOLS): Promise<Map<string, object>> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  return new Map(
    await Promise.all(
      files.map(async (file): Promise<[string, object]> => {
        const module = (await import(pathToFileURL(join(folder, file)).href)) as object;
        return [basename(file, '.ts'), module];
      }),
    ),
  );
}
