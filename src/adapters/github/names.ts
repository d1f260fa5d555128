import { HoldpointError } from '../../core/errors.ts';
import type { Facts } from '../../core/facts.ts';
import { likely } from '../../core/nearest.ts';
import type { WorkflowEntry } from './repository.ts';

/** `owner/name`. */
export const REPOSITORY = /^[\w-]{1,39}\/(?!\.{1,2}$)[\w.-]{1,100}$/;

/**
 * The repository a call means: the one it names, else the configured one.
 *
 * @throws HoldpointError `invalid_input` where there is neither.
 */
export function chosenRepository(written: string | undefined, facts: Facts): string {
  const repository = written ?? facts.github.repository;
  if (repository !== undefined) return repository;
  throw new HoldpointError('invalid_input', 'Which repository is not known.', {
    hint: 'Name it as owner/name, or the operator sets github.repository (GITHUB_REPOSITORY).',
  });
}

/** A branch or tag as the API's dispatch takes it: `refs/heads/main` is `main`. */
export function refName(written: string): string {
  return written.replace(/^refs\/(?:heads|tags)\//, '');
}

/**
 * The workflow that is meant by file, path, id or name.
 *
 * @throws HoldpointError `not_found` with the nearest names; `invalid_input` where several have the name.
 */
export function findWorkflow(workflows: readonly WorkflowEntry[], written: string, repository: string): WorkflowEntry {
  const file = ({ path }: WorkflowEntry) => path.split('/').at(-1) ?? path;
  const ways: ((workflow: WorkflowEntry) => boolean)[] = [
    ({ id, path }) => `${id}` === written || path === written,
    (workflow) => [file(workflow), file(workflow).replace(/\.ya?ml$/i, '')].includes(written),
    ({ name }) => name.toLowerCase() === written.toLowerCase(),
  ];
  const found = ways.map((way) => workflows.filter(way)).find((list) => list.length > 0) ?? [];
  const [only] = found;
  if (only && found.length === 1) return only;
  if (only)
    throw new HoldpointError('invalid_input', `${repository} has ${found.length} workflows of that name.`, {
      hint: `Name the file: ${found.slice(0, 5).map(file).join(', ')}.`,
    });
  const files = workflows.map(file);
  const near = likely(written, [...files, ...workflows.map(({ name }) => name)]);
  throw new HoldpointError('not_found', `${repository} has no workflow ${JSON.stringify(written.slice(0, 100))}.`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.join(' or ')}?`
        : `The workflows are: ${files.slice(0, 10).join(', ') || 'none'}.`,
  });
}
