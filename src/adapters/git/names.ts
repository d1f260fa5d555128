import { HoldpointError } from '../../core/errors.ts';
import type { Effect } from '../../core/effect.ts';
import type { Target } from '../../core/target.ts';

/** What git allows in a branch's or tag's name, without what means something to a shell, an address or a refspec. */
const REF_NAME = /^(?![-/.])(?!.*(?:\.\.|\/\/|\/\.|@\{))[\p{L}\p{N}_./@+#=-]{1,250}(?<![/.]|\.lock)$/u;
const REMOTE_NAME = /^(?!.*(?:\.\.|\/\/))[A-Za-z0-9][\w./-]{0,99}$/;

/** @throws HoldpointError `invalid_input` */
export function checkedName(what: 'branch' | 'tag' | 'remote', name: string): string {
  const fits = (what === 'remote' ? REMOTE_NAME : REF_NAME).test(name);
  if (fits && !['HEAD', '@'].includes(name) && !name.startsWith('refs/')) return name;
  throw new HoldpointError('invalid_input', `${JSON.stringify(name.slice(0, 100))} is no name for a ${what}.`, {
    hint: what === 'remote' ? 'Name one of the repository, such as origin.' : 'Such as feature/login or v1.2.0.',
  });
}

/** What a name of a remote must be so that it cannot stand for an address; see `refuseSteering`. */
export function isRemoteName(name: string): boolean {
  return REMOTE_NAME.test(name);
}

/** The repository as a target. `branch`: the branch or tag that the act is about. */
export function repositoryTarget(id: string, resource: string, effect: Effect, branch?: string): Target {
  return { kind: 'repository', id, resource, effect, ...(branch === undefined ? {} : { at: { branch } }) };
}
