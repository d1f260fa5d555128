import { readFlag, refuse, takesValue } from './arguments.ts';
import { nearest } from './nearest.ts';
import type { CommandGrammar, Flag, ProgramGrammar } from './programs.ts';

/**
 * The forms of the sub-command that `args` name, and what is left when its words are taken out.
 *
 * @throws HoldpointError `denied` where they name none, with what to do instead.
 */
export function findCommand(
  program: ProgramGrammar,
  args: readonly string[],
): { forms: CommandGrammar[]; rest: string[] } {
  const words: string[] = [];
  const flags: string[] = [];
  let index = 0;
  let found = { forms: commandsOf(program, []), index: 0, flags: 0 };
  for (; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg.startsWith('-')) {
      const read =
        found.forms.length > 0
          ? undefined
          : readFlag(program, program.program, leadingFlags(program, words), arg).at(-1);
      if (!read) break;
      flags.push(arg);
      if (takesValue(read.flag) && read.value === undefined) flags.push(args[++index] ?? '');
      continue;
    }
    const longer = program.commands.some((each) => [...words, arg].every((word, at) => each.words[at] === word));
    if (!longer) break;
    words.push(arg);
    found = { forms: commandsOf(program, words), index: index + 1, flags: flags.length };
  }
  if (found.forms.length > 0)
    return { forms: found.forms, rest: [...flags.slice(0, found.flags), ...args.slice(found.index)] };
  const asked = [...words, ...args.slice(index, index + 3).filter((arg) => !arg.startsWith('-'))];
  throw refuse(
    `${[program.program, ...asked.slice(0, words.length + 1)].join(' ').slice(0, 200)} is not among the commands allowed here.`,
    insteadOf(program, asked),
  );
}

/** The flags that may come before all of a command's words are there. */
function leadingFlags(program: ProgramGrammar, words: readonly string[]): Flag[] {
  const ahead = program.commands.filter((each) => words.every((word, at) => each.words[at] === word));
  return [
    ...program.flags,
    ...ahead.flatMap((each) => each.flags.filter((flag) => (flag.afterWords ?? Infinity) <= words.length)),
  ];
}

function commandsOf(program: ProgramGrammar, words: readonly string[]): CommandGrammar[] {
  return program.commands.filter(
    (each) => each.words.length === words.length && each.words.every((word, at) => words[at] === word),
  );
}

function insteadOf(program: ProgramGrammar, asked: readonly string[]): string {
  for (let length = asked.length; length >= 0; length--) {
    const key = asked.slice(0, length).join(' ');
    if ((length > 0 || asked.length === 0) && Object.hasOwn(program.instead, key)) return program.instead[key] ?? '';
  }
  const commands = [...new Set(program.commands.map((each) => each.words.join(' ')))];
  const near = nearest(asked.join(' '), commands);
  return `Allowed: ${commands.join(', ')}.${near ? ` The nearest is ${program.program} ${near}.` : ''}`;
}
