import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { replaced } from '../../../src/adapters/memory/editing.ts';
import { composeMemory, MEMORY_TYPES, parseMemory } from '../../../src/adapters/memory/front-matter.ts';
import { createFullText, wordsOf } from '../../../src/adapters/memory/full-text.ts';
import { likeName, memoryName, memoryPath } from '../../../src/adapters/memory/names.ts';
import { workspacePath } from '../../../src/core/paths.ts';

const part = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,12}$/);
const name = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
const anyText = fc.string({ unit: 'binary', maxLength: 200 }).map((text) => text.toWellFormed());

describe('names of memories (H1)', () => {
  test('a name and its file are one another’s, and stay below the folder', () => {
    fc.assert(
      fc.property(name, (each) => {
        const path = memoryPath(each);
        expect(memoryName(path)).toBe(each);
        expect(workspacePath(path)).toBe(path);
        expect(path.startsWith('docs/memory/')).toBe(true);
      }),
    );
  });

  test('whatever is written is a name of that kind, or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(anyText, fc.string({ unit: fc.constantFrom('a', 'B', '.', '/', '-', '_', ' ', '\\', '%') })),
        (each) => {
          for (const written of [each, likeName(each)]) {
            let path: string;
            try {
              path = memoryPath(written);
            } catch (error) {
              expect(error).toMatchObject({ code: 'invalid_input' });
              continue;
            }
            expect(path).toMatch(/^docs\/memory\/[a-z0-9][a-z0-9/-]*\.md$/);
            expect(workspacePath(path)).toBe(path);
            expect(path).toBe(path.toLowerCase());
          }
        },
      ),
    );
  });
});

describe('front matter (H1)', () => {
  const keys = fc.dictionary(
    fc
      .stringMatching(/^[a-z][a-z0-9_]{0,10}$/)
      .filter((key) => !['type', 'agent', 'created', 'updated', 'links', 'tags'].includes(key)),
    fc.jsonValue({ maxDepth: 3 }),
    { maxKeys: 5 },
  );

  test('what was written is read again, and unknown keys with what they hold stay through every change', () => {
    fc.assert(
      fc.property(
        keys,
        fc.constantFrom(...MEMORY_TYPES),
        fc.array(name, { maxLength: 4 }),
        anyText,
        anyText,
        (unknown, type, links, content, other) => {
          const at = '2026-11-21T10:00:00.000Z';
          const lines = Object.entries(unknown)
            .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
            .join('');
          const first = composeMemory(undefined, {
            content: `---\n${lines}---\n${content}`,
            type,
            links,
            agent: 'devops',
            at,
          });
          const read = parseMemory(first);
          expect(read).toMatchObject({ type, links, agent: 'devops', created: at, updated: at });
          const later = '2026-11-22T10:00:00.000Z';
          const second = composeMemory(first, { content: `x${other}`, agent: 'architect', at: later });
          expect(parseMemory(second)).toMatchObject({ type, links, agent: 'architect', created: at, updated: later });
          const third = composeMemory(second, { agent: 'architect', tags: ['t'] });
          expect(parseMemory(third).body).toBe(parseMemory(second).body);
          // Composing again with nothing new changes nothing: a plan and its run make the same file but for the dates.
          expect(composeMemory(third, { agent: 'architect' })).toBe(third);
          for (const key of Object.keys(unknown)) expect(third).toMatch(new RegExp(`^${key}:`, 'm'));
        },
      ),
    );
  });

  test('any file whatever is read, and none of its text is lost', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.tuple(anyText, anyText).map(([front, body]) => `---\n${front}\n---\n${body}`),
        ),
        (text) => {
          const { body, problem } = parseMemory(text);
          expect(text.endsWith(body)).toBe(true);
          if (problem === undefined) return;
          expect(() => composeMemory(text, { agent: 'a', content: 'x' })).toThrow(/cannot be read/);
        },
      ),
    );
  });

  test('keys of a given front matter that sound like our own words stay; anchors in ours are refused in words', () => {
    const content = '---\ncontent: kept\nbody: kept # why\nat: kept\n---\ntext';
    const made = composeMemory(undefined, { agent: 'a', content });
    expect(made).toMatch(/^content: kept\nbody: kept # why\nat: kept$/m);
    const again = composeMemory(composeMemory(undefined, { agent: 'a', content: 'x' }), { agent: 'a', content });
    expect(again).toMatch(/^content: kept\nbody: kept\nat: kept$/m);
    const anchored = '---\nagent: &who me\nowner: *who\n---\ntext';
    expect(() => composeMemory(undefined, { agent: 'a', content: anchored })).toThrow(/refer to what is not in it/);
    expect(composeMemory('---\ntype: note\n---\nx', { agent: 'a', content: anchored })).toMatch(/^owner: me$/m);
  });

  test('aliases that would swell, and keys that are a prototype’s, do no harm', () => {
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefgh'.split('').map(
        (key, i) =>
          `${key}: &${key} [${Array(9)
            .fill(`*${'abcdefg'[i] ?? ''}`)
            .join(', ')}]`,
      ),
    ].join('\n');
    expect(parseMemory(`---\n${bomb}\n---\ntext`)).toMatchObject({ problem: expect.any(String), body: 'text' });
    expect(parseMemory('---\n__proto__: { type: decision }\n---\ntext').type).toBe('note');
    expect(({} as { type?: unknown }).type).toBeUndefined();
  });
});

describe('queries (H1)', () => {
  test('no query is ever syntax of the index', () => {
    const index = createFullText();
    index.set({ name: 'a', title: 'a', tags: '', body: 'title body OR near tags' }, '1');
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          fc.string({
            unit: fc.constantFrom(
              '"',
              '*',
              '(',
              ')',
              ':',
              '^',
              '-',
              '+',
              'a',
              ' ',
              'OR',
              'AND',
              'NOT',
              'NEAR',
              'title',
              '{',
              '}',
              "'",
              '\0',
            ),
          }),
        ),
        (query) => {
          for (const word of wordsOf(query)) expect(word).toMatch(/^"[^"]+"\*$/);
          expect(Array.isArray(index.search(query))).toBe(true);
        },
      ),
    );
    expect(index.search('title:nothing')).toEqual([expect.objectContaining({ name: 'a' })]);
    expect(index.search('"NOT" -(')).toEqual([]);
  });

  test('a word of a text finds it, in any letter case and without its accents', () => {
    const word = fc.stringMatching(/^[a-zäöüé]{3,10}$/);
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 6 }), fc.nat(), (words, pick) => {
        const index = createFullText();
        index.set({ name: 'here', title: '', tags: '', body: words.join(' ') }, '1');
        const wanted = words[pick % words.length] ?? '';
        expect(index.search(wanted.toUpperCase()).map((found) => found.name)).toEqual(['here']);
        index.keep(new Set());
        expect(index.search(wanted)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });
});

describe('edits of a piece (H1)', () => {
  test('as splitting and joining would', () => {
    const few = fc.string({ unit: fc.constantFrom('a', 'b', '\n', '.'), maxLength: 20 });
    fc.assert(
      fc.property(
        few,
        few.filter((text) => text !== ''),
        few,
        (text, oldText, newText) => {
          const count = text.split(oldText).length - 1;
          const all = () => replaced(text, { oldText, newText, regex: false, all: true });
          const one = () => replaced(text, { oldText, newText, regex: false, all: false });
          if (count === 0) expect(all).toThrow(/does not occur/);
          else expect(all()).toBe(text.split(oldText).join(newText));
          if (count > 1) expect(one).toThrow(/times/);
        },
      ),
    );
  });

  test.each(['(?<=a)b', '(', 'a*', '(a{500}){500}'])('%s is refused as an expression', (oldText) => {
    expect(() => replaced('xx', { oldText, newText: '', regex: true, all: true })).toThrow(/not valid here/);
  });
});
