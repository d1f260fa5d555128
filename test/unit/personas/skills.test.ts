import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { SKILLS } from '../../../src/config/locations.ts';
import { loadSkills } from '../../../src/personas/skills.ts';
import { createRedactor } from '../../../src/redact/redact.ts';
import { PROMPT_ARGUMENTS } from '../../../src/server/prompt-arguments.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-skills-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(skill: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, 'skills', skill, path, '..'), { recursive: true });
    writeFileSync(join(folder, 'skills', skill, path), text);
  }
}
const main = (name: string, more = '') =>
  `---\nname: ${name}\ndescription: A skill of the tests.\n${more}---\n\n# The title\n\nText.\n`;

describe('the shipped skills (B7)', () => {
  test('all of them load', async () => {
    const { skills, problems } = await loadSkills({ folder });
    expect(problems).toEqual([]);
    expect(skills.map(({ name }) => name)).toEqual(readdirSync(SKILLS).sort());
  });

  test('nothing in their texts looks like a secret; templates name theirs as diagnostics wants it', async () => {
    const redactor = createRedactor([]);
    await redactor.ready();
    const { skills } = await loadSkills({ folder });
    const texts = skills.flatMap(({ files }) => files.filter(({ mimeType }) => mimeType === 'text/markdown'));
    for (const { path, text } of texts) expect(redactor.text(text), path).toBe(text);
  });

  test('each says what it is for, is short, and asks for arguments that are known', async () => {
    const { skills } = await loadSkills({ folder });
    for (const skill of skills) {
      const [{ text }] = skill.files;
      const words = text.split(/\s+/).length;
      expect(words, skill.name).toBeGreaterThan(250);
      expect(words, skill.name).toBeLessThan(1000);
      expect(skill.title, skill.name).not.toBe(skill.name);
      expect(skill.arguments.map(({ name }) => name).filter((name) => !(name in PROMPT_ARGUMENTS))).toEqual([]);
    }
  });

  test('what a skill links to is there', async () => {
    const { skills } = await loadSkills({ folder });
    for (const { name, files } of skills) {
      const paths = files.map(({ path }) => path);
      const links = [...files[0].text.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map(([, link]) => link);
      expect(
        links.filter((link) => !paths.includes(link ?? '')),
        name,
      ).toEqual([]);
    }
  });
});

describe('a persona’s skills (B7)', () => {
  test('its own win over those shipped, in the order it names them', async () => {
    write('docker', { 'SKILL.md': main('docker'), 'more/notes.md': 'x' });
    const { skills, problems } = await loadSkills({ folder, skills: ['incident', 'docker'] });
    expect(problems).toEqual([]);
    expect(skills.map(({ name, title }) => [name, title])).toEqual([
      ['incident', 'Incident'],
      ['docker', 'The title'],
    ]);
    expect(skills[1]?.files.map(({ path, mimeType }) => [path, mimeType])).toEqual([
      ['SKILL.md', 'text/markdown'],
      ['more/notes.md', 'text/markdown'],
    ]);
  });

  test('front matter passes through, arguments are read from its metadata', async () => {
    write('own', { 'SKILL.md': main('own', 'license: MIT\nmetadata:\n  arguments: service, namespace?\n') });
    const { skills } = await loadSkills({ folder, skills: ['own'] });
    expect(skills[0]).toMatchObject({
      frontmatter: { name: 'own', license: 'MIT', metadata: { arguments: 'service, namespace?' } },
      arguments: [
        { name: 'service', required: true },
        { name: 'namespace', required: false },
      ],
    });
  });

  test('one written on Windows loads as it is', async () => {
    write('own', { 'SKILL.md': main('own').replaceAll('\n', '\r\n') });
    const { skills, problems } = await loadSkills({ folder, skills: ['own'] });
    expect(problems).toEqual([]);
    expect(skills[0]).toMatchObject({ title: 'The title', description: 'A skill of the tests.' });
    expect(skills[0]?.files[0].text).toContain('\r\n');
  });

  test('sizes and digests are those of what is served, secrets masked', async () => {
    write('own', { 'SKILL.md': main('own') + 'hunter2-known\n' });
    const { text: mask } = createRedactor(['hunter2-known']);
    const [masked, plain] = await Promise.all([
      loadSkills({ folder, skills: ['own'] }, mask),
      loadSkills({ folder, skills: ['own'] }),
    ]);
    const [{ text, size, digest } = { text: '', size: 0, digest: '' }] = masked.skills[0]?.files ?? [];
    expect(text).not.toContain('hunter2');
    expect(size).toBe(Buffer.byteLength(text));
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(digest).not.toBe(plain.skills[0]?.files[0].digest);
  });

  test.for<[string, (name: string) => void, RegExp]>([
    ['no SKILL.md', (name) => write(name, { 'notes.md': 'x' }), /has no SKILL.md/],
    ['no front matter', (name) => write(name, { 'SKILL.md': '# x\n' }), /front matter is wrong/],
    ['another name', (name) => write(name, { 'SKILL.md': main('other') }), /calls itself "other"/],
    ['broken YAML', (name) => write(name, { 'SKILL.md': '---\nname: [\n---\n' }), /bad: /],
    [
      'a large file',
      (name) => write(name, { 'SKILL.md': main(name), 'x.md': 'x'.repeat(300_000) }),
      /larger than 256 KB/,
    ],
    [
      'a link',
      (name) => {
        write(name, { 'SKILL.md': main(name) });
        symlinkSync('/etc/hostname', join(folder, 'skills', name, 'link.md'));
      },
      /link.md is no plain file/,
    ],
    [
      'a name that is no address',
      (name) => write(name, { 'SKILL.md': main(name), 'a b.md': 'x' }),
      /cannot be an address/,
    ],
    [
      'too many files',
      (name) =>
        write(
          name,
          Object.fromEntries([
            ['SKILL.md', main(name)],
            ...Array.from({ length: 70 }, (_, index) => [`${index}.md`, 'x']),
          ]),
        ),
      /more than 64 files/,
    ],
    [
      'bytes that are no text',
      (name) => {
        write(name, { 'SKILL.md': main(name) });
        writeFileSync(join(folder, 'skills', name, 'x.md'), Buffer.from([0xff, 0xfe, 0xff]));
      },
      /bad: /,
    ],
  ])('one with %s is left out and said; the others stay', async ([, make, says]) => {
    make('bad');
    cpSync(join(SKILLS, 'cost'), join(folder, 'skills/cost'), { recursive: true });
    const { skills, problems } = await loadSkills({ folder, skills: ['bad', 'cost', 'nowhere'] });
    expect(skills.map(({ name }) => name)).toEqual(['cost']);
    expect(problems).toHaveLength(2);
    expect(problems.join('\n')).toMatch(says);
    expect(problems.join('\n')).toMatch(/The skill nowhere: there is none of that name; there are .*docker/);
  });
});
