/** What a Markdown text says under one of its headings. */
interface Section {
  heading: string;
  text: string;
}

// Texts are an agent's: every pattern stops at what it could begin with again, so that none takes more than linear time.
const PLACEHOLDER = /(?<!\$)\{\{[^{}\n]*\}\}/g;
const LEFT_OPEN = /\b(?:TODO|TBD|FIXME)\b|<(?:fill in|to do|your [^<>]{0,60})>/i;
const INLINE_CODE = /`[^`\n]*`/g;

/** What an artifact must have, from its template: headings, and fields (`- Name: value`). */
interface Demanded {
  headings: string[];
  fields: { heading: string; name: string }[];
}

/**
 * What an artifact lacks, in words; nothing where it says something under every heading and in every field of its template.
 * Whether what it says is true, nobody can tell from it.
 *
 * @param template Undefined for what others deliver: that only has to be there and say something.
 */
export function lacksOf(text: string, template: string | undefined): string[] {
  const bare = withoutCode(text);
  if (template !== undefined && text.trim() === template.trim()) return ['it is the template as it came'];
  if (!says(text)) return ['it is empty'];
  const problems: string[] = [];
  const open = bare.split('\n').findIndex((line) => line.search(PLACEHOLDER) !== -1 || LEFT_OPEN.test(line));
  if (open !== -1) problems.push(`line ${open + 1} has a placeholder that is not filled`);
  if (template === undefined) return problems;
  const { headings, fields } = demandedBy(template);
  const sections = new Map(sectionsOf(text).map((section) => [key(section.heading), section.text]));
  for (const heading of headings) {
    const section = sections.get(key(heading));
    if (section === undefined) problems.push(`the heading "${heading}" is missing`);
    else if (!says(section)) problems.push(`"${heading}" says nothing`);
  }
  for (const { heading, name } of fields) {
    const section = sections.get(key(heading));
    if (section === undefined) continue;
    const value = fieldsOf(section).get(key(name));
    if (value === undefined || value === '') problems.push(`"${heading}" lacks "${name}: …"`);
  }
  return problems;
}

function demandedBy(template: string): Demanded {
  const sections = sectionsOf(template);
  return {
    headings: sections.map(({ heading }) => heading),
    fields: sections.flatMap(({ heading, text }) => [...fieldNames(text)].map((name) => ({ heading, name }))),
  };
}

/** Sections of the second level, with all that is below them. Lines in code fences are no headings. */
function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  for (const { line, code } of linesOf(text)) {
    const heading = code || !/^##\s/.test(line) ? '' : line.slice(2).trim();
    if (heading !== '') sections.push({ heading, text: '' });
    else if (code || !/^#\s/.test(line)) {
      const last = sections.at(-1);
      if (last) last.text += `${line}\n`;
    }
  }
  return sections;
}

/** Lines, and whether each is code between fences, the fences included; one that is never closed goes to the end. */
function linesOf(text: string): { line: string; code: boolean }[] {
  let fence: string | undefined;
  return text.split('\n').map((line) => {
    const mark = /^(```|~~~)/.exec(line)?.[1];
    const was = fence;
    if (fence === undefined) fence = mark;
    else if (mark === fence && line.trim() === mark) fence = undefined;
    return { line, code: was !== undefined || fence !== undefined };
  });
}

const FIELD = /^[-*][^\S\n]{1,8}(?<name>[^:\n]{1,60}):[^\S\n]*(?<value>.*)$/gm;

function fieldNames(text: string): string[] {
  return [...text.matchAll(FIELD)].map(({ groups }) => groups?.['name'] ?? '');
}

function fieldsOf(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(FIELD)].map(({ groups }) => [key(groups?.['name'] ?? ''), (groups?.['value'] ?? '').trim()]),
  );
}

/** Whether a text says anything: a letter or a digit beside headings, comments and list marks. */
function says(text: string): boolean {
  const bare = withoutComments(text).replace(/^#.*$/gm, '');
  return /[\p{L}\p{N}]/u.test(bare.replace(PLACEHOLDER, ''));
}

/** With code and comments as blank lines: `${{ … }}` and `{{ .Values }}` in them are no placeholders of ours. */
function withoutCode(text: string): string {
  const lines = linesOf(text).map(({ line, code }) => (code ? '' : line.replace(INLINE_CODE, '')));
  return withoutComments(lines.join('\n'));
}

function withoutComments(text: string): string {
  const parts: string[] = [];
  let at = 0;
  for (let open = text.indexOf('<!--'); open !== -1; open = text.indexOf('<!--', at)) {
    const close = text.indexOf('-->', open);
    const end = close === -1 ? text.length : close + 3;
    parts.push(text.slice(at, open), text.slice(open, end).replace(/[^\n]+/g, ''));
    at = end;
  }
  return parts.join('') + text.slice(at);
}

function key(text: string): string {
  return text.normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim();
}

const SLOT = /\{\{= ([a-z-]+) \}\}/g;

/** A template with its slots (`{{= name }}`) filled; where there is nothing to fill one with, a placeholder that says so stays. */
export function fillSlots(template: string, value: (slot: string) => string | undefined): string {
  return template.replace(SLOT, (_all, slot: string) => value(slot) ?? `{{ nothing on record yet: ${slot} }}`);
}

/** The slots that a template has. */
export function slotsOf(template: string): string[] {
  return [...template.matchAll(SLOT)].map(([, slot = '']) => slot);
}
