import canonicalize from 'canonicalize';

import type { Json } from '../../core/json.ts';
import { hashOf, type Definition } from './definition.ts';

/** How one tool of a server differs from what was accepted. */
export interface Difference {
  tool: string;
  sort: 'new' | 'gone' | 'changed';
  /** Of a changed one, each part as it was accepted and as it is; the server's own words. */
  parts: { part: string; was: string; is: string }[];
}

const PARTS = ['title', 'description', 'inputSchema', 'outputSchema', 'annotations'] as const;

/** Every tool that is not as it was accepted, in the order of their names. */
export function differences(accepted: readonly Definition[], now: readonly Definition[]): Difference[] {
  const [then, is] = [byName(accepted), byName(now)];
  const names = [...new Set([...then.keys(), ...is.keys()])].sort();
  return names.flatMap((tool): Difference[] => {
    const [was, found] = [then.get(tool), is.get(tool)];
    if (!found) return [{ tool, sort: 'gone', parts: [] }];
    if (!was) return [{ tool, sort: 'new', parts: [] }];
    if (hashOf(was) === hashOf(found)) return [];
    const parts = PARTS.flatMap((part) => {
      const [before, after] = [text(was[part]), text(found[part])];
      return before === after ? [] : [{ part, was: before, is: after }];
    });
    return [{ tool, sort: 'changed', parts }];
  });
}

function byName(definitions: readonly Definition[]): Map<string, Definition> {
  return new Map(definitions.map((each) => [each.name, each]));
}

function text(value: Json | undefined): string {
  if (value === undefined) return '(none)';
  return typeof value === 'string' ? value : (canonicalize(value) ?? '');
}
