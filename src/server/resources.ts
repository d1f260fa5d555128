import type { Principal } from '../core/principal.ts';
import type { Results } from './results.ts';

/** One resource, as `resources/list` gives it. */
export interface Listed {
  uri: string;
  name: string;
  title?: string;
  description?: string;
  mimeType: string;
}

/** Resources of one sort: those that are there always, the forms of the others, and how one is read. */
export interface ResourceSource {
  list(principal: Principal): Promise<Listed[]>;
  templates: readonly { uriTemplate: string; name: string; title?: string; description: string; mimeType: string }[];
  /** Undefined where the address is none of this source's, or is another principal's. Already redacted. */
  read(uri: string, principal: Principal): Promise<{ text: string; mimeType: string } | undefined>;
  /** Values of a template's variable that begin so. */
  complete?(variable: string, begun: string, principal: Principal): Promise<string[]>;
}

/** The whole of results that were cut to fit. */
export function resultResources(results: Results): ResourceSource {
  return {
    list: async () => [],
    templates: [
      {
        uriTemplate: 'holdpoint://results/{id}',
        name: 'result',
        description: 'The whole of a result that was cut to fit.',
        mimeType: 'application/json',
      },
    ],
    async read(uri, principal) {
      const text = results.read(principal, uri);
      return text === undefined ? undefined : { text, mimeType: 'application/json' };
    },
  };
}

/** What the first source that knows the address says of it. */
export async function readResource(
  sources: readonly ResourceSource[],
  uri: string,
  principal: Principal,
): Promise<{ text: string; mimeType: string } | undefined> {
  for (const source of sources) {
    const found = await source.read(uri, principal);
    if (found) return found;
  }
  return undefined;
}
