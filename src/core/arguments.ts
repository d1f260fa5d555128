import { HoldpointError } from './errors.ts';
import { SELECTORS } from './target.ts';
import { nearest } from './nearest.ts';
import type { Argument, CommandGrammar, Flag, ProgramGrammar } from './programs.ts';

/** An agent's arguments after the sub-command's words, each with what it is. */
export interface ParsedArguments {
  flags: { flag: Flag; value?: string }[];
  positionals: { argument: Argument; value: string }[];
  afterDashes: { argument: Argument; value: string }[];
}

const MAX_ARGUMENTS = 100;
const MAX_VALUE = 4096;
const NUMBER = /^\d{1,9}$/;
const SELECTOR = /^[\p{L}\p{N}][\p{L}\p{N}_.:@/+-]*$/u;

/** A refusal by the table of programs. */
export function refuse(reason: string, hint: string): HoldpointError {
  return new HoldpointError('denied', reason, { rule: 'programs', hint });
}

/** What no argument of any program may hold, whatever it is. @throws HoldpointError `denied` */
export function checkArguments(args: readonly string[]): void {
  if (args.length > MAX_ARGUMENTS)
    throw refuse(`There are more than ${MAX_ARGUMENTS} arguments.`, 'Split the call into several.');
  for (const [index, arg] of args.entries()) {
    if (arg.length > MAX_VALUE)
      throw refuse(`Argument ${index + 1} is longer than ${MAX_VALUE} characters.`, 'Shorten it.');
    if (/[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|(?![\n\t])\p{Cc}/u.test(arg))
      throw refuse(`Argument ${index + 1} has control or invisible characters.`, 'Write it with visible characters.');
  }
}

/**
 * Reads arguments as exactly what `command` and `program` list: `--flag=value`, `--flag value`, `-nvalue`, clusters of
 * switches, `--`. No abbreviations; a flag given twice is refused unless it repeats.
 *
 * @throws HoldpointError `denied` at the first argument that is not in the grammar.
 */
export function parseArguments(
  program: ProgramGrammar,
  command: CommandGrammar,
  args: readonly string[],
): ParsedArguments {
  const name = [program.program, ...command.words].join(' ');
  const usage = `Write: ${command.usage}`;
  const known = [...command.flags, ...program.flags];
  const parsed: ParsedArguments = { flags: [], positionals: [], afterDashes: [] };
  let dashes = false;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (dashes) {
      if (!command.afterDashes) throw refuse(`${name} takes nothing after --.`, usage);
      parsed.afterDashes.push({ argument: command.afterDashes, value: arg });
    } else if (arg === '--') {
      dashes = true;
    } else if (arg.startsWith('-')) {
      for (const { flag, value } of readFlag(program, name, known, arg)) {
        if (!takesValue(flag)) parsed.flags.push({ flag });
        else if (value !== undefined) parsed.flags.push({ flag, value });
        else {
          const next = args[++index];
          if (next === undefined) throw refuse(`${flag.names[0]} of ${name} needs a value.`, usage);
          parsed.flags.push({ flag, value: next });
        }
      }
    } else {
      const argument = command.positionals[Math.min(parsed.positionals.length, command.positionals.length - 1)];
      if (!argument || parsed.positionals.length >= command.maxPositionals)
        throw refuse(`${name} does not take ${JSON.stringify(arg)} here.`, usage);
      parsed.positionals.push({ argument, value: arg });
    }
  }
  check(parsed, command, name, usage);
  return parsed;
}

function check(parsed: ParsedArguments, command: CommandGrammar, name: string, usage: string): void {
  const given = new Set<string>();
  for (const { flag, value } of parsed.flags) {
    const first = flag.names[0] ?? '';
    if (given.has(first) && !flag.repeats) throw refuse(`${first} of ${name} is given twice.`, 'Give it once.');
    given.add(first);
    if (value !== undefined) checkValue(flag, value, `${first} of ${name}`, usage);
  }
  for (const { argument, value } of [...parsed.positionals, ...parsed.afterDashes])
    checkValue(argument, value, `an argument of ${name}`, usage);
  for (const flag of command.requires) if (!given.has(flag)) throw refuse(`${name} needs ${flag} here.`, usage);
  if (parsed.positionals.length < command.minPositionals || parsed.afterDashes.length < command.minAfterDashes)
    throw refuse(`${name} needs more arguments.`, usage);
}

/**
 * Refuses the first flag that no form of the command lists, naming the nearest that one does: the forms by themselves know
 * only their own. The forms of one command agree on which flags take values (the loader holds it).
 *
 * @throws HoldpointError `denied`
 */
export function refuseUnlisted(
  program: ProgramGrammar,
  forms: readonly CommandGrammar[],
  args: readonly string[],
): void {
  const name = [program.program, ...(forms[0]?.words ?? [])].join(' ');
  const listed = [...forms.flatMap((form) => form.flags), ...program.flags];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--') return;
    if (!arg.startsWith('-')) continue;
    const last = readFlag(program, name, listed, arg).at(-1);
    if (last && takesValue(last.flag) && last.value === undefined) index++;
  }
}

/** Whether a flag is followed by a value. */
export function takesValue(flag: Flag): boolean {
  return flag.kind !== 'none' && flag.kind !== 'all-namespaces';
}

/** The flag or cluster of flags that one argument is, with the value where the argument itself holds it. */
export function readFlag(
  program: ProgramGrammar,
  name: string,
  known: readonly Flag[],
  arg: string,
): { flag: Flag; value?: string }[] {
  const equals = arg.indexOf('=');
  const written = equals === -1 ? arg : arg.slice(0, equals);
  const find = (spelling: string) => known.find((flag) => flag.names.includes(spelling));
  const whole = find(written);
  if (whole) {
    if (equals === -1) return [{ flag: whole }];
    if (!takesValue(whole))
      throw refuse(`${written} of ${name} is a switch and takes no value.`, `Write ${written} alone.`);
    return [{ flag: whole, value: arg.slice(equals + 1) }];
  }
  if (/^-[^-]./.test(arg)) {
    const first = find(arg.slice(0, 2));
    if (first && takesValue(first)) return [{ flag: first, value: arg.slice(2) }];
    const cluster = arg
      .slice(1)
      .split('')
      .map((letter) => find(`-${letter}`));
    // The last of a cluster may take its value from the next argument: `-fu docker`.
    if (cluster.every((flag, at) => flag !== undefined && (!takesValue(flag) || at === cluster.length - 1)))
      return cluster.filter((flag) => flag !== undefined).map((flag) => ({ flag }));
  }
  const instead = Object.hasOwn(program.instead, written) ? program.instead[written] : undefined;
  const near = nearest(
    written,
    known.flatMap((flag) => flag.names),
  );
  throw refuse(
    `${written.slice(0, 80)} of ${name} is not among the flags allowed here.`,
    instead ?? (near === undefined ? `${name} takes no flags here.` : `The nearest allowed flag is ${near}.`),
  );
}

function checkValue(argument: Argument, value: string, what: string, usage: string): void {
  const shown = JSON.stringify(value.slice(0, 80));
  if (argument.kind !== 'text' && /[\n\t]/.test(value))
    throw refuse(`${what} has a line break or tab.`, 'Write one line.');
  if (value.trim() === '') throw refuse(`${what} is empty.`, 'Give a value or leave it out.');
  if (argument.oneOf && !argument.oneOf.includes(value))
    throw refuse(`${shown} is not allowed as ${what}.`, `Allowed: ${argument.oneOf.join(', ')}.`);
  if (argument.match !== undefined && !new RegExp(`^(?:${argument.match})$`, 'u').test(value))
    throw refuse(`${shown} is not allowed as ${what}.`, usage);
  if (argument.kind === 'number' && !NUMBER.test(value))
    throw refuse(`${shown} is no number (${what}).`, 'Write digits.');
  if (isSelector(argument) && !SELECTOR.test(value))
    throw refuse(`${shown} is no name (${what}).`, 'Write one name: letters, digits and . _ - : / @ only.');
}

function isSelector(argument: Argument): boolean {
  return SELECTORS.some((each) => each === argument.kind);
}
