import { refuse } from './arguments.ts';

/** A workspace path as a program in the folder `cwd` (free of links) reaches it; never begins with a dash. */
export function fromFolder(cwd: string, path: string): string {
  const base = cwd === '.' ? [] : cwd.split('/');
  const parts = path === '.' ? [] : path.split('/');
  let shared = 0;
  while (shared < base.length && base[shared] === parts[shared]) shared++;
  const rest = [...base.slice(shared).map(() => '..'), ...parts.slice(shared)];
  return `./${rest.join('/')}`.replace(/\/$/, '');
}

/** A git pathspec for a workspace path and what is below it, with no pattern in it. The repository is the workspace. */
export function literalPathspec(path: string): string {
  return `:(top,literal)${path === '.' ? '' : path}`;
}

/**
 * A git pathspec for exactly one file. A plain path also means everything below it, at any commit where it was a folder: a
 * file named `config` would bring out `config/.env` of last year. A pattern matches whole names only, so one letter of it is
 * written as a set.
 *
 * @throws HoldpointError `denied` for the workspace itself, or a name without a letter or digit.
 */
export function exactPathspec(path: string): string {
  const last = path.search(/[A-Za-z0-9][^A-Za-z0-9]*$/);
  if (path === '.' || last === -1)
    throw refuse(`git cannot be held to ${JSON.stringify(path)} alone.`, 'Name a file with a letter in its name.');
  const escape = (text: string) => text.replace(/[*?[\]\\]/g, '\\$&');
  return `:(top,glob)${escape(path.slice(0, last))}[${path[last]}]${escape(path.slice(last + 1))}`;
}

const REVISION = /^(?:@|[\p{L}\p{N}][\p{L}\p{N}_./-]*|(?=@\{))(?:[~^]\d{0,6}|@\{(?:-?\d{1,6}|u|upstream)\})*$/u;

/**
 * A revision as the commit it names: `main..HEAD~2` becomes `main^{commit}..HEAD~2^{commit}`. Without it, an abbreviated hash
 * would bring out any blob of the repository.
 *
 * @throws HoldpointError `denied` for what is not a name with steps (`~2`, `^`, `@{1}`) or two of them with `..` or `...`.
 */
export function peelRevision(written: string): string {
  const range = /^(?<from>.*?[^.])(?<dots>\.{2,3})(?<to>[^.].*)$/u.exec(written)?.groups;
  const sides = range ? [range['from'] ?? '', range['to'] ?? ''] : [written];
  const peeled = sides.map((side) => {
    if (!REVISION.test(side) || side.includes('..'))
      throw refuse(
        `${JSON.stringify(written.slice(0, 80))} is no revision that is allowed here.`,
        'Write a branch, tag or commit, such as main, v1.2, HEAD~2 or main..HEAD.',
      );
    return `${side}^{commit}`;
  });
  return peeled.join(range?.['dots'] ?? '');
}

/** The two parts of `REVISION:FILE`. @throws HoldpointError `denied` where one is missing. */
export function splitRevisionFile(written: string): [revision: string, file: string] {
  const colon = written.indexOf(':');
  if (colon < 1 || colon === written.length - 1)
    throw refuse(
      `${JSON.stringify(written.slice(0, 80))} is no REVISION:FILE.`,
      'Write it as HEAD:docker/Dockerfile, the file from the workspace.',
    );
  return [written.slice(0, colon), written.slice(colon + 1)];
}
