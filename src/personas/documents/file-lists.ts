import type { Entry } from './markdown.ts';
import { plain } from './markdown.ts';
import { accessOf } from './senses.ts';
import type { Access, Cited } from './facts.ts';

/** A file, folder or pattern as the document writes it. */
export interface Listed extends Cited {
  written: string;
  access: Access;
  from: 'glob' | 'tree' | 'folder';
}

/** Lists of files: in code blocks as patterns under a word that says what may be done, or as trees; as items with such words. */
export function listedFiles(entries: readonly Entry[]): Listed[] {
  return entries.flatMap((entry) => {
    if (entry.kind === 'code' && /^(?:te?xt|plain(?:text)?)?$/.test(entry.lang))
      return /^\s*[-*]\s/m.test(entry.text) ? patternList(entry) : tree(entry);
    if (entry.kind !== 'item' && entry.kind !== 'row') return [];
    const [written] = entry.spans;
    const access = written === undefined ? undefined : accessOf(entry.text.replace(written, ''));
    if (written === undefined || access === undefined || !/[./]/.test(written)) return [];
    return [{ written, access, from: 'folder' as const, line: entry.line, words: entry.text }];
  });
}

/** `ALLOWED (Read/Write):` and lines `- pattern (note)` below it. */
function patternList({ text, line }: Entry): Listed[] {
  let access: Access | undefined;
  return text.split('\n').flatMap((raw, index): Listed[] => {
    const words = plain(raw);
    if (/:\s*$/.test(raw)) {
      // Allowed, and not said for what: for reading.
      access = accessOf(words) ?? (/\ballowed\b/i.test(words) ? 'read' : undefined);
      return [];
    }
    const item = /^\s*[-*]\s+(.*)$/.exec(raw)?.[1];
    if (access === undefined || item === undefined) return [];
    // In a pattern two stars are no emphasis.
    const written = item.replace(/^(?:[^\x20-\x7E\t]+[ \t]+)+/, '').replace(/\s*\([^()]*\)\s*$/, '');
    return [{ written: written.trim(), access, from: 'glob', line: line + index, words: item.trim() }];
  });
}

/** Names below a folder, each with words after it that say what may be done. */
function tree({ text, line }: Entry): Listed[] {
  let root = '';
  return text.split('\n').flatMap((raw, index): Listed[] => {
    // The signs of the tree may be mis-encoded; a name begins with a letter, a digit, a dot or a star.
    const branch = raw.replace(/^[^A-Za-z0-9._*~/{@]+/, '');
    const [name = '', ...after] = branch.split(/\s{2,}/);
    const words = plain(after.join(' '));
    const access = accessOf(words);
    const below = branch.length < raw.length;
    if (access === undefined) {
      if (!below && /^\S+\/$/.test(name)) root = name;
      return [];
    }
    const written = below ? `${root}${name}` : name;
    return [{ written, access, from: 'tree', line: line + index, words: `${name} ${words}` }];
  });
}
