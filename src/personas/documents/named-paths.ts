import type { FileFact, Note } from './facts.ts';
import type { Entry } from './markdown.ts';
import { isPath } from './patterns.ts';
import { isElsewhere, isReference } from './senses.ts';

/** Folders that hold one sort of files, so that a file named in one stands for those beside it. */
const FOLDERS_OF_A_SORT =
  /^(?:k8s|kubernetes|terraform|cloudformation|ecs|helm|charts|ansible|docker|monitoring|infra|infrastructure|deploy|migrations|scripts\/deploy|\.github\/workflows)\//;

const MAKES = /\b(?:create|write|update|edit|maintain|manage|store|add|document|put|generate)\b/i;
const LOOKS = /\b(?:from|see|read|review|check|retrieve|use)\b[^.]{0,200}$/i;
const OVER_MADE = /\bdeliverables?\b|\boutputs?\b|\bartifacts?\b|\bfiles\b/i;

/** The files that the text names in code ticks, and whether its own words say that they are made or looked at. */
export function namedPaths(entries: readonly Entry[]): { files: FileFact[]; ambiguous: Note[] } {
  const folder = outputFolder(entries);
  const ambiguous: Note[] = [];
  const files: FileFact[] = [];
  for (const entry of entries) {
    if (entry.kind === 'code' || isElsewhere(entry.path)) continue;
    for (const span of entry.spans.filter((each) => isPath(each) && each !== folder?.path)) {
      const access = accessOfNamed(entry, span);
      const base = { line: entry.line, words: entry.text, from: 'path' } as const;
      if (access === undefined) {
        ambiguous.push({
          says: `${span} is named without a word on what is done with it; it stays closed`,
          lines: [entry.line],
        });
        continue;
      }
      const bare = !span.replace(/\/\*$/, '').includes('/') && overOutputs(entry.path) && folder !== undefined;
      const named = (bare ? `${folder.path}${span}` : span).replace(/\/\*$/, '/**/*');
      const pattern = access === 'write' ? withItsKind(named) : named;
      if (pattern !== named)
        ambiguous.push({ says: `${named} is named as one file; it stands for ${pattern}`, lines: [entry.line] });
      files.push({ ...base, pattern, access });
    }
  }
  if (folder !== undefined)
    files.push({ pattern: `${folder.path}**/*`, access: 'read', from: 'path', line: folder.line, words: folder.words });
  return { files, ambiguous };
}

function accessOfNamed(entry: Entry, span: string): 'read' | 'write' | undefined {
  if (isReference(entry.path)) return 'read';
  const before = entry.text.slice(0, Math.max(0, entry.text.indexOf(span)));
  if (MAKES.test(before)) return 'write';
  if (LOOKS.test(before)) return 'read';
  return entry.path.some((heading) => OVER_MADE.test(heading)) ? 'write' : undefined;
}

function overOutputs(path: readonly string[]): boolean {
  return path.some((heading) => /\boutputs?\b|\bartifacts?\b/i.test(heading));
}

/** `Store all outputs in docs/workflow/artifacts/`: where the outputs lie that are named without a folder. */
function outputFolder(entries: readonly Entry[]): { path: string; line: number; words: string } | undefined {
  for (const { text, spans, line } of entries) {
    const path = spans.find((span) => isPath(span) && span.endsWith('/'));
    if (path !== undefined && /\b(?:store|put|write|save)\b[^.]{0,60}\b(?:outputs?|artifacts?)\b/i.test(text))
      return { path, line, words: text };
  }
  return undefined;
}

/** A file in a folder of one sort stands for that folder's files of its type. */
function withItsKind(path: string): string {
  const [folder = ''] = FOLDERS_OF_A_SORT.exec(path) ?? [];
  const extension = /\.(\w+)$/.exec(path)?.[1];
  if (folder === '' || extension === undefined) return path;
  return `${folder}**/*.${/^ya?ml$/.test(extension) ? '{yml,yaml}' : extension}`;
}
