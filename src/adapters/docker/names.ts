import { HoldpointError } from '../../core/errors.ts';
import { likely } from '../../core/nearest.ts';

/** Something of the Engine's that has names. */
interface Named {
  /** With or without `sha256:`. */
  id: string;
  names: readonly string[];
}

const MOST_NAMED = 8;
const bare = (id: string) => id.replace(/^sha256:/, '').toLowerCase();

/**
 * The one of a list that a name or the beginning of an id means; a name goes before an id.
 *
 * @param visible Whether a name may be told in an error.
 * @throws HoldpointError `not_found` with near names, `conflict` where an id's beginning is that of several.
 */
export function namedOne<T extends Named>(
  kind: 'container' | 'image',
  written: string,
  list: readonly T[],
  visible: (name: string) => boolean,
): T {
  const tellable = (items: readonly T[]) => items.flatMap(({ names }) => names).filter(visible);
  const byName = list.find(({ names }) => names.includes(written));
  if (byName) return byName;
  const found = list.filter(({ id }) => bare(id).startsWith(bare(written)));
  if (found.length > 1) {
    const names = tellable(found);
    throw new HoldpointError('conflict', `${JSON.stringify(written)} is the beginning of ${found.length} ids.`, {
      hint: `Name one${names.length > 0 ? `: ${names.slice(0, MOST_NAMED).join(', ')}` : ''}.`,
    });
  }
  const [only] = found;
  if (only) return only;
  const near = likely(written, tellable(list));
  throw new HoldpointError('not_found', `There is no ${kind} ${JSON.stringify(written)}.`, {
    hint: near.length > 0 ? `Did you mean ${near.join(', ')}?` : `List them: docker-get {"show":"${kind}s"}.`,
  });
}
