import { HoldpointError } from '../../core/errors.ts';

/** Where memories lie in the workspace, one Markdown file each. */
export const MEMORY_FOLDER = 'docs/memory';

const NAME = /^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9][a-z0-9-]*)*$/;
const MAX_NAME = 120;
const MAX_PARTS = 6;

/**
 * The file of a memory, from the workspace: `decisions/registry` is `docs/memory/decisions/registry.md`.
 *
 * @throws HoldpointError `invalid_input` for what is no name, with the nearest that is one.
 */
export function memoryPath(name: string): string {
  if (isName(name)) return `${MEMORY_FOLDER}/${name}.md`;
  const like = likeName(name);
  throw new HoldpointError('invalid_input', `${JSON.stringify(name.slice(0, 200))} is no name of a memory.`, {
    hint: `Names are lower-case letters, digits and dashes, with / between folders, at most ${MAX_NAME} characters${isName(like) ? `: "${like}"` : ''}.`,
  });
}

/** The folder of the memories whose names begin so: `decisions/` is `docs/memory/decisions`. @throws as memoryPath */
export function memoryFolder(begun: string): string {
  return memoryPath(begun.slice(0, -1)).slice(0, -'.md'.length);
}

/** The name of the memory in a file; undefined where the file's name can be no memory's. */
export function memoryName(path: string): string | undefined {
  if (!path.startsWith(`${MEMORY_FOLDER}/`) || !path.endsWith('.md')) return undefined;
  const name = path.slice(MEMORY_FOLDER.length + 1, -'.md'.length);
  return isName(name) ? name : undefined;
}

/** A name as other servers take it, as it would be here: `Suggested_Commands.md` is `suggested-commands`. May still be none. */
export function likeName(written: string): string {
  return written
    .slice(0, 2 * MAX_NAME)
    .replace(/^mem:/, '')
    .replace(/\.md$/i, '')
    .toLowerCase()
    .replace(/(?<=[a-z0-9])[_\s.]+(?=[a-z0-9])/g, '-');
}

function isName(name: string): boolean {
  return name.length <= MAX_NAME && NAME.test(name) && name.split('/').length <= MAX_PARTS;
}
