import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

import { classify } from '../../../src/core/classify.ts';
import { FACTS, PROGRAMS, refusal } from './kit.ts';

interface Lines {
  allowed: string[];
  refused: string[];
}

const KNOWN = Object.values(PROGRAMS).filter(({ commands }) => commands.length > 0);
const TABLES = new Map(KNOWN.map(({ program }) => [program, linesOf(program)]));

/** Command lines of one program, split at spaces but for what stands in single quotes. */
function linesOf(program: string): Lines {
  return parse(readFileSync(join(import.meta.dirname, 'lines', `${program}.yaml`), 'utf8')) as Lines;
}

function launch(line: string) {
  const [program = '', ...args] = [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '');
  return { program, args };
}

describe.each([...TABLES])('command lines of %s (C4)', (program, { allowed, refused }) => {
  test('there are enough of them, all of that program, none twice', () => {
    expect(allowed.length).toBeGreaterThanOrEqual(6);
    expect(refused.length).toBeGreaterThanOrEqual(12);
    const all = [...allowed, ...refused];
    expect(new Set(all).size).toBe(all.length);
    for (const line of all) expect(launch(line).program).toBe(program);
  });

  test.each(allowed)('allowed: %s', (line) => {
    expect(classify(launch(line), FACTS).targets).not.toEqual([]);
  });

  test.each(refused)('refused: %s', async (line) => {
    const { code, hint } = await refusal(() => classify(launch(line), FACTS));
    expect(code).toBe('denied');
    expect(hint).toMatch(/\.$|Write: /);
  });
});

describe('what is not listed does not pass (C4)', () => {
  /** Flags of any program, of none, and those that the programs are refused for. */
  const strange = fc.oneof(
    fc.constantFrom(
      ...new Set(
        KNOWN.flatMap(({ flags, commands, instead }) => [
          ...Object.keys(instead).filter((key) => key.startsWith('-')),
          ...[...flags, ...commands.flatMap((each) => each.flags)].flatMap(({ names }) => names),
        ]),
      ),
    ),
    fc.stringMatching(/^--?[a-zA-Z][a-z-]{0,12}$/),
  );

  test('an allowed line with an unlisted flag put in anywhere is refused, or has it as the value of a flag', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...[...TABLES.values()].flatMap(({ allowed }) => allowed)),
        strange,
        fc.constantFrom('', '=x'),
        fc.nat(12),
        (line, flag, value, at) => {
          const { program, args } = launch(line);
          const plain = classify({ program, args }, FACTS);
          const grammar = PROGRAMS[program]!;
          const own = grammar.commands.filter(({ words }) => [program, ...words].join(' ') === plain.command);
          const listed = [...grammar.flags, ...own.flatMap(({ flags }) => flags)].flatMap(({ names }) => names);
          const short = /^-[^-]/.test(flag);
          fc.pre(!listed.includes(flag) && !(short && listed.includes(flag.slice(0, 2))));
          const dashes = args.includes('--') ? args.indexOf('--') : args.length;
          const put = [...args];
          put.splice(Math.min(at, dashes), 0, flag + value);
          let argv: string[];
          try {
            argv = classify({ program, args: put }, FACTS).argv;
          } catch (error) {
            expect(error).toMatchObject({ code: 'denied' });
            return;
          }
          expect(argv.filter((arg) => arg === flag || arg.startsWith(`${flag}=`))).toEqual([]);
          expect(argv.some((arg) => arg.endsWith(`=${flag}${value}`))).toBe(true);
        },
      ),
      { numRuns: 5000 },
    );
  });

  test.each(KNOWN)('$program names the nearest allowed flag for every flag misspelt', async (grammar) => {
    const { program, commands, flags, instead } = grammar;
    for (const { words } of commands) {
      const forms = commands.filter((each) => each.words.join(' ') === words.join(' '));
      const listed = [...flags, ...forms.flatMap((form) => form.flags)].flatMap(({ names }) => names);
      for (const name of listed.filter((each) => each.length > 2)) {
        const wrong = `${name}x`;
        if (Object.hasOwn(instead, wrong) || listed.includes(wrong)) continue;
        const { hint } = await refusal(() => classify({ program, args: [...words, wrong] }, FACTS));
        expect(listed, `${program} ${words.join(' ')} ${wrong}: ${hint}`).toContain(
          /^The nearest allowed flag is (\S+)\.$/.exec(hint ?? '')?.[1],
        );
      }
    }
  });

  test.each(KNOWN)('$program names what is allowed for every sub-command misspelt', async ({ program, commands }) => {
    for (const { words } of commands.filter((each) => each.words.length > 0)) {
      const args = [...words.slice(0, -1), `${words.at(-1)}q`];
      const { code, hint } = await refusal(() => classify({ program, args }, FACTS));
      expect(code).toBe('denied');
      expect(hint, args.join(' ')).toMatch(/The nearest is |\.$/);
    }
  });
});
