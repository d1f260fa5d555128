import { checkArguments, parseArguments, refuse, refuseUnlisted } from './arguments.ts';
import type { ParsedArguments } from './arguments.ts';
import { worseEffect } from './effect.ts';
import type { Effect } from './effect.ts';
import { HoldpointError } from './errors.ts';
import type { Facts } from './facts.ts';
import { workspacePath } from './paths.ts';
import { likely } from './nearest.ts';
import { exactPathspec, fromFolder, literalPathspec, peelRevision, splitRevisionFile } from './process-paths.ts';
import { findCommand } from './process-commands.ts';
import { placesOf } from './process-places.ts';
import { readAddress } from './process-urls.ts';
import type { Target } from './target.ts';
import type { Acts, Argument, CommandGrammar, Flag, ProgramGrammar } from './programs.ts';

/** What an agent asks launch-process for. */
export interface Launch {
  program: string;
  args: readonly string[];
  /** A folder of the workspace, the base of relative paths; the workspace itself where absent. */
  cwd?: string | undefined;
}

/** A path among the arguments: what the program may reach through it. */
export interface ProcessPath {
  path: string;
  /** `file`: that file alone. `tree`: a folder with all that is in it. `name`: nothing is read, it only selects. */
  kind: 'file' | 'tree' | 'name';
  effect: Effect;
  /** Nothing is wrong where it is missing. */
  optional?: boolean;
}

/** A launch that the table of programs allows; what the policy says of it is another matter. */
export interface Classified {
  program: string;
  /** Program and sub-command: `kubectl get`. */
  command: string;
  effect: Effect;
  acts: Acts;
  /** The arguments as they will be passed: flags in one spelling, `--flag=value`, paths and revisions made exact. */
  argv: string[];
  folder: ProgramGrammar['folder'];
  /** From the workspace. */
  cwd: string;
  /** All of the workspace that the program sees, where that is not the whole. */
  sees?: string[];
  paths: ProcessPath[];
  targets: Target[];
}

/**
 * What a launch is and touches, by the table of known programs. Pure.
 *
 * @throws HoldpointError `denied` (rule `programs`, with what to do instead) for everything that is not in the table;
 *   `unavailable` or `not_found` where a Kubernetes context is needed and there is none of that name.
 */
export function classify(launch: Launch, facts: Facts): Classified {
  checkArguments([launch.program, launch.cwd ?? '.', ...launch.args]);
  const program = knownProgram(launch.program, facts);
  const cwd = workspacePath(launch.cwd ?? '.');
  const { forms, rest } = findCommand(program, launch.args);
  refuseUnlisted(program, forms, rest);
  let failure: unknown;
  for (const form of forms) {
    try {
      const parsed = parseArguments(program, form, rest);
      return describe(program, form, parsed, { launch, cwd, facts });
    } catch (error) {
      // Another form of the same sub-command may fit; what is no refusal by the table is not about the form.
      if (!(error instanceof HoldpointError) || error.rule !== 'programs') throw error;
      failure = error;
    }
  }
  throw withForms(failure, program, forms);
}

/** A refusal that only said how one form is written says how all of them are, after what to do instead. */
function withForms(failure: unknown, program: ProgramGrammar, forms: readonly CommandGrammar[]): unknown {
  if (!(failure instanceof HoldpointError) || !failure.hint?.startsWith('Write: ')) return failure;
  const instead = program.instead[forms[0]?.words.join(' ') ?? ''];
  const usages = [...new Set(forms.map((form) => form.usage))].join(' | ');
  return refuse(failure.message, `${instead === undefined ? '' : `${instead} `}Write: ${usages}`);
}

function knownProgram(name: string, facts: Facts): ProgramGrammar {
  if (/^holdpoint(?:\.\w+)?$/i.test(name))
    throw refuse(
      'holdpoint is not run through a tool.',
      'Approvals are a person’s: hand over the id of the request and wait for it.',
    );
  const program = Object.hasOwn(facts.programs, name) ? facts.programs[name] : undefined;
  if (program && program.commands.length > 0) return program;
  const known = Object.values(facts.programs).filter((each) => each.commands.length > 0);
  const shown = JSON.stringify(name.slice(0, 80));
  const names = known.map((each) => each.program).sort();
  const [near] = likely(name, names, 1);
  throw refuse(
    name.includes('/') ? `${shown} is a path; programs are named, not located.` : `${shown} is not run here.`,
    program?.instead[''] ??
      `The programs are: ${names.join(', ')}.${near === undefined ? '' : ` The nearest is ${near}.`}`,
  );
}

interface Scope {
  launch: Launch;
  cwd: string;
  facts: Facts;
}

function describe(program: ProgramGrammar, form: CommandGrammar, parsed: ParsedArguments, scope: Scope): Classified {
  const paths: ProcessPath[] = [];
  const pass = (argument: Argument, value: string) => passOn(argument, value, scope.cwd, paths);
  const { places, pinned } = placesOf(program, form, parsed, scope.facts);
  const leading: Record<number, string[]> = {};
  const flags: string[] = [];
  for (const { flag, value } of [...parsed.flags, ...pinned]) {
    const list = flag.afterWords === undefined ? flags : (leading[flag.afterWords] ??= []);
    list.push(...spell(flag, value === undefined ? undefined : pass(flag, value)));
  }
  const seen = seenBy(program, scope.cwd);
  const chosen = parsed.flags.some(({ flag }) => form.needsOneOf.includes(flag.names[0] ?? ''));
  if (!chosen) flags.push(...form.needsOneOf.slice(0, 1));
  const words = (form.runs ?? form.words).flatMap((word, at) => [...(leading[at] ?? []), word]);
  const positionals = parsed.positionals.map(({ argument, value }) => pass(argument, value));
  const after = parsed.afterDashes.map(({ argument, value }) => pass(argument, value));
  const command = [program.program, ...form.words].join(' ');
  const id = [program.program, ...scope.launch.args].map(shellLike).join(' ');
  return {
    program: program.program,
    command,
    effect: paths.reduce((worst, path) => worseEffect(worst, path.effect), form.effect),
    acts: form.acts ?? program.acts,
    argv: [
      ...program.prefix,
      ...words,
      ...form.adds,
      ...flags,
      ...positionals,
      ...(form.afterDashes ? ['--', ...after] : []),
    ],
    folder: program.folder,
    cwd: scope.cwd,
    ...(seen && { sees: seen.map(({ path }) => path) }),
    paths: [...paths, ...(seen ?? [])],
    targets: [
      ...places.map((at): Target => ({ kind: 'process', id, effect: form.effect, command, at })),
      ...[...paths, ...(seen ?? [])].map(pathTarget),
      ...addressesOf(parsed).map(({ host, at }): Target => ({ kind: 'host', id: host, effect: form.effect, at })),
    ],
  };
}

/** What is fetched is decided as web-fetch's addresses are. */
function addressesOf({ flags, positionals, afterDashes }: ParsedArguments): ReturnType<typeof readAddress>[] {
  const values = [
    ...flags.map(({ flag, value }) => ({ kind: flag.kind, value })),
    ...[...positionals, ...afterDashes].map(({ argument, value }) => ({ kind: argument.kind, value })),
  ];
  return values.flatMap(({ kind, value }) => (kind === 'url' && value !== undefined ? [readAddress(value)] : []));
}

/** What a program sees that runs what lies around it. */
function seenBy({ sees }: ProgramGrammar, cwd: string): ProcessPath[] | undefined {
  if (sees === 'folder') return [{ path: cwd, kind: 'tree', effect: 'read' }];
  return sees?.map((name) => ({
    path: cwd === '.' ? name : `${cwd}/${name}`,
    kind: 'file',
    effect: 'read',
    optional: true,
  }));
}

function pathTarget({ path, kind, effect }: ProcessPath): Target {
  // What only selects shows names at most, as a folder's listing does.
  return { kind: kind === 'file' ? 'file' : 'folder', id: path, effect, path };
}

/** An argument as the program gets it; a path among them is noted in `paths`. */
function passOn(argument: Argument, value: string, cwd: string, paths: ProcessPath[]): string {
  const effect = argument.effect ?? 'read';
  const note = (written: string, kind: ProcessPath['kind']) => {
    const outside = written.startsWith('/') || written.startsWith('~') || cwd === '.';
    const path = workspacePath(outside ? written : `${cwd}/${written}`);
    paths.push({ path, kind, effect });
    return path;
  };
  const { kind } = argument;
  if (kind === 'file' || kind === 'tree') return fromFolder(cwd, note(value, kind));
  if (kind === 'pathspec') return literalPathspec(note(value, 'name'));
  if (kind === 'file-pathspec') return exactPathspec(note(value, 'file'));
  if (kind === 'revision') return peelRevision(value);
  if (kind === 'url') return readAddress(value).href;
  if (kind !== 'revision-file') return value;
  const [revision, written] = splitRevisionFile(value);
  return `${peelRevision(revision)}:${note(written, 'file')}`;
}

function spell(flag: Flag, value: string | undefined): string[] {
  const name = flag.names[0] ?? '';
  if (value === undefined) return [name];
  if (name.length > 2) return [`${name}=${value}`];
  if (value.startsWith('-')) throw refuse(`The value of ${name} begins with a dash.`, 'Give another value.');
  return [name, value];
}

/** An argument as a person reads it; quoted where it would look like more than one. */
function shellLike(arg: string): string {
  const cut = arg.length > 200 ? `${arg.slice(0, 200)}…` : arg;
  return /^[\w@%+=:,./~^{}-]+$/.test(cut) ? cut : JSON.stringify(cut);
}
