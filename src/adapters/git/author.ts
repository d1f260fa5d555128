import { HoldpointError } from '../../core/errors.ts';
import { runGit } from './command.ts';
import type { Call } from './port.ts';
import type { Repository } from './repository.ts';

/**
 * Who commits are by: the operator's variables, else the repository's configuration, else the operator's own.
 *
 * @throws HoldpointError `unavailable` where nobody is named.
 */
export async function authorOf(
  { file, env, run }: Repository,
  operator: Readonly<Record<string, string>>,
  call: Call,
): Promise<string> {
  const asked = async (variable: string, key: string) => {
    const named = operator[variable]?.trim();
    if (named) return named;
    const args = ['config', '--get', key];
    const here = await run({ args });
    if (here.code === 0 && here.stdout.trim() !== '') return here.stdout.trim();
    const home = operator['HOME'];
    if (!home) return undefined;
    // Outside of any repository: this reads files of the operator alone, and runs nothing.
    const own = {
      PATH: env['PATH'] ?? '',
      HOME: home,
      GIT_CONFIG_NOSYSTEM: '1',
      ...(operator['XDG_CONFIG_HOME'] ? { XDG_CONFIG_HOME: operator['XDG_CONFIG_HOME'] } : {}),
    };
    const there = await runGit(
      { file, cwd: '/', env: own },
      { args: ['config', '--global', ...args.slice(1)] },
      call.signal,
    );
    return there.code === 0 ? there.stdout.trim() || undefined : undefined;
  };
  const name = await asked('GIT_AUTHOR_NAME', 'user.name');
  const email = await asked('GIT_AUTHOR_EMAIL', 'user.email');
  if (name && email && !/[<>\p{C}]/u.test(name + email)) return `${name} <${email}>`;
  throw new HoldpointError('unavailable', 'git does not know who commits are by.', {
    hint: 'A person sets it: git config --global user.name and user.email, or GIT_AUTHOR_NAME and GIT_AUTHOR_EMAIL where Holdpoint runs.',
  });
}

/** Variables that name the author and committer; `author` is `Name <address>`. */
export function identity(author: string): Record<string, string> {
  const [, name = '', email = ''] = /^(.*) <(.*)>$/.exec(author) ?? [];
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
}
