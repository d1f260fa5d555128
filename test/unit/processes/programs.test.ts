import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

import { loadPrograms, readGrammar } from '../../../src/config/programs.ts';
import { PROGRAMS, put, refusal } from './kit.ts';

const SAMPLE = `
program: sample
acts: local
folder: empty
define: { name: '[a-z]+' }
commands:
  - { words: [go, run fast], usage: sample go, effect: read, flags: { '--level, -l': number, --to: { match: 'x-{name}{1,2}' } } }
`;

describe('programs as data (C4)', () => {
  test('the shipped table has its programs, and those that are refused say what to do', () => {
    const known = Object.values(PROGRAMS).filter(({ commands }) => commands.length > 0);
    expect(known.map(({ program }) => program).join(' ')).toBe(
      'ansible-playbook aws curl docker gh git helm journalctl kubectl npm pnpm shuttle sqlx systemctl terraform',
    );
    for (const { program, commands, instead } of Object.values(PROGRAMS))
      if (commands.length === 0) expect(instead[''], program).toMatch(/\.$/);
  });

  test('the sample of docs/processes.md is a description', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/processes.md'), 'utf8');
    const sample = /```yaml\n(?<yaml>program: [^]*?)```/.exec(page)?.groups?.['yaml'] ?? '';
    expect(readGrammar(sample, 'sample.yaml').commands.map(({ words }) => words)).toEqual([['list'], ['ls']]);
  });

  test('no form is there twice', () => {
    for (const { program, commands } of Object.values(PROGRAMS)) {
      const seen = new Set(commands.map((command) => JSON.stringify(command)));
      expect([program, seen.size]).toEqual([program, commands.length]);
    }
  });

  test('a program described twice is refused: the second would hide the first', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'holdpoint-programs-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    put(folder, 'sample.yaml', SAMPLE);
    put(folder, 'elsewhere.yaml', 'instead: { sample: Hand it over. }\n');
    expect((await refusal(() => loadPrograms(folder))).message).toMatch(/described twice/);
  });

  test('one description gives a form per spelling, and patterns can be named', () => {
    const { commands } = readGrammar(SAMPLE, 'sample.yaml');
    expect(commands.map(({ words }) => words)).toEqual([['go'], ['run', 'fast']]);
    expect(commands[0]?.flags).toEqual([
      { names: ['--level', '-l'], kind: 'number' },
      { names: ['--to'], kind: 'value', match: 'x-(?:[a-z]+){1,2}' },
    ]);
  });

  test.each<[string, string, RegExp]>([
    ['an unknown key', SAMPLE.replace('acts:', 'runs: x\nacts:'), /runs/],
    ['an unknown kind', SAMPLE.replace('number', 'nubmer'), /commands\.0\.flags/],
    ['a broken pattern', SAMPLE.replace("'x-", "'(x-"), /regular expression/],
    ['a path as a program', SAMPLE.replace('program: sample', 'program: bin/sample'), /bare name/],
    ['a flag without a dash', SAMPLE.replace('--to', 'to'), /--namespace, -n/],
    [
      'a needed flag that is not listed',
      SAMPLE.replace('effect: read,', 'effect: read, needsOneOf: [--x],'),
      /--x is no flag/,
    ],
    [
      'a required flag that is not listed',
      SAMPLE.replace('effect: read,', 'effect: read, requires: [--x],'),
      /--x is no flag/,
    ],
    [
      'a flag that takes a value in one form alone',
      `${SAMPLE}  - { words: go, usage: sample go, effect: read, flags: { -l: none } }\n`,
      /go -l takes a value in one form/,
    ],
    ['a key twice', `${SAMPLE}acts: docker\n`, /unique/],
    ['no YAML', '{', /./],
  ])('%s is refused, with the file, the place and what to write', async (_, text, says) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdpoint-programs-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    put(folder, 'sample.yaml', text);
    const error = await refusal(() => loadPrograms(folder));
    expect(error.code).toBe('invalid_input');
    expect(error.message).toMatch(/policies\/programs\/sample\.yaml/);
    expect(error.message).toMatch(says);
  });
});
