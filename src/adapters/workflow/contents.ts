/** What a Markdown text says under one of its headings. */
interface Section {
  heading: string;
  text: string;
}

const PLACEHOLDER = /(?<!\$)\{\{[^}\n]*\}\}/;
const LEFT_OPEN = /\b(?:TODO|TBD|FIXME)\b|<(?:fill in|to do|your [^>]*)>/i;
const FENCED = /^(```|~~~)[\s\S]*?^\1[^\S\n]*$/gm;
const INLINE_CODE = /`[^`\n]*`/g;
const COMMENT = /<!--[\s\S]*?-->/g;

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
  const open = bare.split('\n').findIndex((line) => PLACEHOLDER.test(line) || LEFT_OPEN.test(line));
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
  let fence: string | undefined;
  for (const line of text.split('\n')) {
    const mark = /^(```|~~~)/.exec(line)?.[1];
    if (mark !== undefined) fence = fence === undefined ? mark : fence === mark ? undefined : fence;
    const heading = fence === undefined ? /^##\s+(.+?)\s*#*$/.exec(line)?.[1] : undefined;
    if (heading !== undefined) sections.push({ heading, text: '' });
    else if (fence === undefined && /^#\s/.test(line)) continue;
    else if (sections.length > 0) (sections.at(-1) as Section).text += `${line}\n`;
  }
  return sections;
}

const FIELD = /^[-*]\s+(?<name>[^:\n]{1,60}):[^\S\n]*(?<value>.*)$/gm;

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
  const bare = text.replace(COMMENT, '').replace(/^#.*$/gm, '');
  return /[\p{L}\p{N}]/u.test(bare.replace(PLACEHOLDER, ''));
}

/** With code as blank lines: `${{ … }}` and `{{ .Values }}` in it are no placeholders of ours. */
function withoutCode(text: string): string {
  return text
    .replace(FENCED, (code) => code.replace(/[^\n]+/g, ''))
    .replace(INLINE_CODE, '')
    .replace(COMMENT, (comment) => comment.replace(/[^\n]+/g, ''));
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
