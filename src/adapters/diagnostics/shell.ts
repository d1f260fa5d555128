/** A line of a file. */
export interface Line {
  /** From 1. */
  line: number;
  text: string;
}

/** One simple command of a shell script. */
export interface Command {
  line: number;
  /** The program's name without its folder; '' where there is none. */
  program: string;
  /** What follows the program, quotes removed. */
  args: string[];
  sudo: boolean;
  /** What stands between it and the next one. */
  next: '&&' | '||' | '|' | '$(' | '<(' | ';' | '';
}

/** Words that come before the command itself. */
const PREFIXES = new Set('sudo env exec time command nohup if then else elif while until do ! {'.split(' '));

/**
 * The commands of a script, as far as they can be told without running it: split at operators, quotes respected, comments
 * and here-documents skipped, a line that ends in a backslash continued. In linear time, and on any text.
 */
export function commandsOf(lines: readonly Line[]): Command[] {
  const commands: Command[] = [];
  const endOfHeredoc = heredocEnds(lines.map(({ text }) => text));
  const pending: string[] = [];
  let words: Line[] = [];
  let word: Line | undefined;
  let quote = '';
  const endWord = () => {
    if (word) words.push(word);
    word = undefined;
  };
  const endCommand = (next: Command['next']) => {
    endWord();
    if (words.length > 0) commands.push(commandOf(words, next));
    words = [];
  };
  for (let index = 0; index < lines.length; index++) {
    const { line, text } = lines[index] ?? { line: 0, text: '' };
    const last = text.trimEnd().length - 1;
    let continued = false;
    for (let at = 0; at < text.length; at++) {
      const letter = text[at] ?? '';
      const two = text.slice(at, at + 2);
      if (letter === '\\' && quote !== "'") {
        continued = at === last;
        if (continued) break;
        word = { line: word?.line ?? line, text: (word?.text ?? '') + (text[++at] ?? '') };
      } else if (quote !== '') {
        if (letter === quote) quote = '';
        else word = { line: word?.line ?? line, text: (word?.text ?? '') + letter };
      } else if (letter === '"' || letter === "'") {
        quote = letter;
        word ??= { line, text: '' };
      } else if (letter === '#' && !word) break;
      else if (/\s/.test(letter)) endWord();
      else if (two === '<<') {
        const [whole = two, delimiter] = /^<<-?\s*["']?([A-Za-z_]\w{0,60})?["']?/.exec(text.slice(at, at + 80)) ?? [];
        if (delimiter !== undefined && text[at + 2] !== '<') pending.push(delimiter);
        at += whole.length - 1;
        endWord();
      } else if (two === '$(' || two === '<(') {
        endCommand(two);
        at++;
      } else if (two === '&&' || two === '||') {
        endCommand(two);
        at++;
      } else if (letter === '|') endCommand('|');
      else if (letter === '&' && /[0-9>]/.test(text[at + 1] ?? ''))
        word = { line: word?.line ?? line, text: `${word?.text ?? ''}&` };
      else if (/[;&()`]/.test(letter)) endCommand(';');
      else word = { line: word?.line ?? line, text: (word?.text ?? '') + letter };
    }
    if (continued) continue;
    if (quote === '') endCommand(';');
    else if (word) word.text += '\n';
    for (const delimiter of pending.splice(0)) index = endOfHeredoc(delimiter, index) ?? index;
  }
  endCommand('');
  return commands;
}

/** Finds, for a here-document's delimiter, the index of the line that ends it; all look-ups together in linear time. */
export function heredocEnds(lines: readonly string[]): (delimiter: string, after: number) => number | undefined {
  const lastOf = new Map(lines.map((text, index) => [text.trim(), index]));
  return (delimiter, after) => {
    if ((lastOf.get(delimiter) ?? -1) <= after) return undefined;
    let index = after + 1;
    while (lines[index]?.trim() !== delimiter) index++;
    return index;
  };
}

/** The words of a text, quotes removed. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [, double, single, plain] of text.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|((?:[^\s"'\\]|\\.)+)/gs))
    words.push(double ?? single ?? plain ?? '');
  return words;
}

function commandOf(words: readonly Line[], next: Command['next']): Command {
  let sudo = false;
  let first = 0;
  for (; first < words.length; first++) {
    const text = words[first]?.text ?? '';
    sudo ||= text === 'sudo';
    const option = first > 0 && text.startsWith('-') && PREFIXES.has(words[first - 1]?.text ?? '');
    if (!PREFIXES.has(text) && !option && !/^[A-Za-z_]\w*=/.test(text)) break;
  }
  const program = words[first] ?? words[0];
  return {
    line: program?.line ?? 0,
    program: (words[first]?.text ?? '').split('/').at(-1) ?? '',
    args: words.slice(first + 1).map(({ text }) => text),
    sudo,
    next,
  };
}

const SHELLS = /^(?:ba|z|da|a|k|fi)?sh$/;
const INTERPRETERS = /^(?:python[\d.]*|perl|ruby|node|pwsh|php)$/;
const FETCHERS = new Set(['curl', 'wget']);

/** Lines where something is fetched from the network and run at once. */
export function fetchedAndRun(commands: readonly Command[]): number[] {
  const lines: number[] = [];
  let feedsShell = false;
  for (let index = commands.length - 1; index >= 0; index--) {
    const command = commands[index];
    if (!command) continue;
    const { line, program, args, next } = command;
    const after = commands[index + 1];
    feedsShell = next === '|' && after !== undefined && (runsInput(after) || feedsShell);
    const before = commands[index - 1];
    const substituted = before && SHELLS.test(before.program) && (before.next === '<(' || before.next === '$(');
    const quoted = SHELLS.test(program) && args.some((arg) => /\$\(\s*(?:curl|wget)\b|`(?:curl|wget)\b/.test(arg));
    if (quoted || (FETCHERS.has(program) && (feedsShell || substituted))) lines.push(line);
  }
  return lines.toReversed();
}

function runsInput({ program, args }: Command): boolean {
  if (SHELLS.test(program)) return true;
  return INTERPRETERS.test(program) && !args.some((arg) => /^-[cme]/.test(arg));
}
