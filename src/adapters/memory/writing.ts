import { HoldpointError } from '../../core/errors.ts';
import { fileTarget } from '../../core/paths.ts';
import type { Target } from '../../core/target.ts';
import type { BoundFile, Change, FileHandle, FilesPort } from '../files/port.ts';
import { replaced } from './editing.ts';
import { composeMemory, parseMemory, type MemoryChange, type MemoryType } from './front-matter.ts';
import { MEMORY_FOLDER, memoryPath } from './names.ts';

const MAX_BYTES = 262_144;
const MAX_FILES = 2000;

/** What a call of write-memory asks for. */
export interface MemoryWrite {
  name: string;
  content?: string | undefined;
  oldText?: string | undefined;
  newText?: string | undefined;
  rename?: string | undefined;
  type?: MemoryType | undefined;
  links?: string[] | undefined;
  tags?: string[] | undefined;
  regex?: boolean | undefined;
  all?: boolean | undefined;
}

/** A memory that is written is read as well: its front matter stays, and whether a piece occurs says something of it. */
export function bothTargets(path: string): Target[] {
  return [fileTarget(path, 'write'), fileTarget(path, 'read')];
}

/** @throws HoldpointError `invalid_input` for what is no one thing to do. */
export function checkWrite({
  name,
  content,
  oldText,
  newText,
  rename,
  type,
  links,
  tags,
  regex,
  all,
}: MemoryWrite): void {
  const wrong = (says: string, hint: string) => new HoldpointError('invalid_input', says, { hint });
  if (content !== undefined && (oldText ?? newText) !== undefined)
    throw wrong('content is the whole text, oldText and newText a piece of it.', 'Give one or the other.');
  if ((oldText === undefined) !== (newText === undefined))
    throw wrong('oldText and newText go together.', 'Give both; an empty newText takes the piece away.');
  if (oldText === undefined && (regex ?? all) !== undefined)
    throw wrong('regex and all say how oldText is meant.', 'Give oldText and newText as well, or leave them out.');
  if ([content, oldText, rename, type, links, tags].every((each) => each === undefined))
    throw wrong('The call says nothing to write.', 'Give content, or oldText and newText, rename, type or links.');
  if (rename === name) throw wrong('The new name is the old one.', 'Give another name.');
  if (content?.trim() === '') throw wrong('The content is empty.', 'Write something, or use delete-memory.');
  for (const link of links ?? []) memoryPath(link);
  for (const text of [content, newText, ...(tags ?? [])])
    if (text !== undefined && !text.isWellFormed())
      throw wrong(
        'A text has half a character (a lone surrogate), which no file can hold.',
        'Send well-formed Unicode.',
      );
}

/** The file under a name; what a link leads to is refused before anything of it is read. */
export async function lookForWriting(
  path: string,
  files: FilesPort,
  permits: (target: Target) => boolean,
): Promise<FileHandle> {
  const file = await files.look(path);
  if (file.type === 'folder')
    throw new HoldpointError('invalid_input', `${path} is a folder.`, { hint: 'Choose another name.' });
  if (file.real !== path && !bothTargets(file.real).every(permits))
    throw new HoldpointError('denied', `${path} is a link to a file that is not allowed here at once.`, {
      rule: 'paths',
      hint: 'Name the memory itself.',
    });
  return file;
}

/** Some disks take names that differ only in letter case for one. */
export async function refuseAlike(path: string, files: FilesPort, signal: AbortSignal): Promise<void> {
  const folder = await files.look(MEMORY_FOLDER);
  if (folder.type !== 'folder') return;
  const { entries } = await files.list(folder, { recursive: true, respectIgnore: false, limit: MAX_FILES, signal });
  const alike = entries.find((entry) => {
    const there = entry.path.toLowerCase();
    return entry.path !== there && (path === there || path.startsWith(`${there}/`));
  });
  if (alike)
    throw new HoldpointError('conflict', `There is ${alike.path}, whose name differs only in letter case.`, {
      hint: 'Choose another name, or ask a person to rename that one.',
    });
}

/**
 * Writes a memory under its new name and removes the old file; the change of the new one. Where the old one cannot be removed,
 * since it has changed meanwhile, the new one goes again: under both names it would be two memories.
 */
export async function movedTo(target: BoundFile, bytes: Uint8Array, old: BoundFile, files: FilesPort): Promise<Change> {
  const change = await files.write(target, bytes);
  try {
    await files.remove(old);
  } catch (error) {
    const made = await files.look(target.path);
    await files.remove(await files.expect(target.path, await files.identity(made)));
    throw error;
  }
  return change;
}

export async function memoryText(file: FileHandle, files: FilesPort): Promise<string> {
  const { bytes, size } = await files.read(file, { maxBytes: MAX_BYTES });
  const wrong = (why: string) =>
    new HoldpointError('invalid_input', `${file.path} ${why}, and is not changed as a memory.`, {
      hint: 'Look at it with view; save-file replaces it as a whole.',
    });
  if (size > MAX_BYTES) throw wrong(`has ${size} bytes, more than ${MAX_BYTES}`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw wrong('is no UTF-8 text');
  }
}

/** The file's text afterwards. Without `at` its dates stay: that is what a plan shows. */
export function written(before: string | undefined, wanted: MemoryWrite, agent: string, at?: string): string {
  const { content, oldText, newText = '', type, links, tags, regex = false, all = false } = wanted;
  const change: MemoryChange = {
    agent,
    ...(content !== undefined && { content }),
    ...(oldText !== undefined && { body: replaced(parseMemory(before ?? '').body, { oldText, newText, regex, all }) }),
    ...(type !== undefined && { type }),
    ...(links !== undefined && { links }),
    ...(tags !== undefined && { tags }),
    ...(at !== undefined && { at }),
  };
  const text = composeMemory(before, change);
  const { length } = bytesOf(text);
  if (length <= MAX_BYTES) return text;
  throw new HoldpointError('invalid_input', `The memory would have ${length} bytes; at most ${MAX_BYTES}.`, {
    hint: 'Split it into several that link to one another.',
  });
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
