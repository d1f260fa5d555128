import { expect, test } from 'vitest';

import { plain, plainLine } from '../../../src/cli/plain.ts';

test('E4: what a terminal would act on, or show as nothing, is shown as its code point', () => {
  expect(plain('a\u001B[2Kb\u202Ec\u200Bd\u2800e\u3164f\u115Fg\u{E0041}h')).toBe(
    'a\\u{1b}[2Kb\\u{202e}c\\u{200b}d\\u{2800}e\\u{3164}f\\u{115f}g\\u{e0041}h',
  );
  expect(plain('äöü – 東京 😀\n\tx')).toBe('äöü – 東京 😀\n\tx');
});

test('E4: on one line breaks show, and names keep their spaces', () => {
  expect(plainLine('a \n\n\t b\n')).toBe('a ⏎ b');
  expect(plainLine(' a  b ')).toBe(' a  b ');
  expect(plainLine(`a${' '.repeat(200_000)}b`)).toHaveLength(200_002);
});
