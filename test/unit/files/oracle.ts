import * as fc from 'fast-check';

/** How many paths a property generates: `pnpm test` tries fewer than `pnpm test:nightly`. */
const isNightly = process.env['HOLDPOINT_NIGHTLY'] === '1';
export const PROPERTY = isNightly ? { numRuns: 1_000_000, interruptAfterTimeLimit: 3_600_000 } : { numRuns: 20_000 };
/** For the test runner, in milliseconds. */
export const TIMEOUT = isNightly ? 3_600_000 : 60_000;

/** A piece of a path, with what the oracle knows of it: how it reads in NFC, or that it may be nowhere. */
export type Piece = readonly [written: string, reads: string | undefined];

const LONG = 'n'.repeat(255);

/** The class "Paths" of what is held against Holdpoint, as pieces; a name of the tree is as good a piece as any. */
const PIECES: readonly Piece[] = [
  ['/', '/'], ['/', '/'], ['/', '/'], ['/', '/'], ['//', '//'], ['.', '.'], ['..', '..'], ['../', '../'], ['./', './'], ['a', 'a'],
  // Dotfiles, letter case, names of Windows and its streams, which here are names like any other.
  ['.env', '.env'], ['.ENV', '.ENV'], ['.Env', '.Env'], ['.git', '.git'], ['secrets', 'secrets'], ['SECRETS', 'SECRETS'], ['A', 'A'],
  ['NUL', 'NUL'], ['con.txt', 'con.txt'], ['a:b', 'a:b'], ['::$DATA', '::$DATA'], ['C:', 'C:'], ['f.txt', 'f.txt'],
  // What leads out by its spelling.
  ['/proc/self/root', '/proc/self/root'], ['/proc/self/cwd/', '/proc/self/cwd/'], ['/dev/fd/3', '/dev/fd/3'], ['/etc/passwd', '/etc/passwd'],
  ['../work-outside/', '../work-outside/'], ['work-outside', 'work-outside'], ['file:///', 'file:///'], ['~', '~'], ['~root/', '~root/'],
  // Ends that some systems drop, spellings that some systems fold, lengths that some systems cut.
  [' ', ' '], ['\u00a0', '\u00a0'], ['\u3000', '\u3000'], ['．', '．'], ['…', '…'], ['é', 'é'], ['e\u0301', 'é'], ['cafe\u0301', 'café'], ['日', '日'],
  [LONG, LONG], ['n'.repeat(300), 'n'.repeat(300)], ['語'.repeat(90), '語'.repeat(90)], ['d/'.repeat(700), 'd/'.repeat(700)],
  // Patterns and options, which mean nothing in a path.
  ['*', '*'], ['!', '!'], ['-', '-'], [':', ':'], ['%2g', '%2g'], ['%u002f', '%u002f'], ['$HOME', '$HOME'],
  ['\\', undefined], ['C:\\', undefined], ['\\\\?\\', undefined], ['\\\\server\\share', undefined], ['..\\', undefined],
  ['%2e', undefined], ['%2F', undefined], ['%5C', undefined], ['%252e', undefined], ['%00', undefined], ['%c0%af', undefined], ['%c1%9c', undefined],
  ['\n', undefined], ['\r', undefined], ['\t', undefined], ['\0', undefined], ['\x1b[2K', undefined], ['\x7f', undefined], ['\x85', undefined],
  ['\u200b', undefined], ['\u202e', undefined], ['\ufeff', undefined], ['\u2028', undefined], ['\ud800', undefined], ['\u115f', undefined],
  ['\ufe0f', undefined], ['\u{e0061}', undefined], ['／', undefined], ['＼', undefined],
]; // prettier-ignore

/** Paths of up to `maxLength` pieces; most of them `names` and slashes, where names are given. */
export function pieces(maxLength: number, names: readonly string[] = []): fc.Arbitrary<readonly Piece[]> {
  const any = fc.constantFrom(...PIECES);
  if (names.length === 0) return fc.array(any, { maxLength });
  const name = fc.constantFrom(...names.map((each): Piece => [each, each.normalize('NFC')]));
  const slash = fc.constant<Piece>(['/', '/']);
  return fc.array(fc.oneof(any, { arbitrary: name, weight: 4 }, { arbitrary: slash, weight: 4 }), { maxLength });
}

export function writtenOf(chosen: readonly Piece[]): string {
  return chosen.map(([written]) => written).join('');
}

/** The rule of `workspacePath` in the plainest words there are: name by name, refusing at the first doubt. Undefined: refused. */
export function readOf(chosen: readonly Piece[]): string | undefined {
  if (chosen.some(([, reads]) => reads === undefined)) return undefined;
  if (writtenOf(chosen).length > 4096) return undefined;
  let rest = chosen.map(([, reads]) => reads).join('');
  if (rest.startsWith('/') || rest.startsWith('~')) return undefined;
  const walked: string[] = [];
  while (rest !== '') {
    const slash = rest.indexOf('/');
    const name = slash === -1 ? rest : rest.slice(0, slash);
    rest = slash === -1 ? '' : rest.slice(slash + 1);
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (walked.length === 0) return undefined;
      walked.pop();
      continue;
    }
    const spaces = [' ', '\u00a0', '\u3000'];
    if (spaces.includes(name.charAt(0))) return undefined;
    if ([...spaces, '.', '．', '…'].includes(name.charAt(name.length - 1))) return undefined;
    if (new TextEncoder().encode(name).length > 255) return undefined;
    walked.push(name);
  }
  if (walked.length > 0 && walked[0]?.charAt(0) === '~') return undefined;
  return walked.length === 0 ? '.' : walked.join('/');
}
