import {
  ResourceNotFoundError,
  type ReadResourceRequest,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';

import type { JsonObject } from '../core/json.ts';
import type { Principal } from '../core/principal.ts';
import { bound } from './bound.ts';
import type { Results } from './results.ts';
import type { Safely } from './safely.ts';
import type { Services } from './services.ts';

/** One resource, as `resources/list` gives it. */
interface Listed {
  uri: string;
  name: string;
  title?: string;
  description?: string;
  mimeType: string;
  /** Bytes, where that is known without reading it. */
  size?: number;
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

/**
 * Answers everything that is asked about resources from these sources; the first that knows an address says what is there. One
 * whose address looks like a secret is not listed.
 */
export function serveResources(
  server: Server,
  sources: readonly ResourceSource[],
  who: (request: ServerContext) => Principal | undefined,
  { redactor }: Pick<Services, 'redactor'>,
  safely: Safely,
): void {
  const list = async (_request: unknown, request: ServerContext) => {
    const principal = who(request);
    if (!principal) return { resources: [] };
    const all = (await Promise.all(sources.map((source) => source.list(principal)))).flat();
    return { resources: all.filter(({ uri }) => redactor.text(uri) === uri) };
  };
  server.setRequestHandler('resources/list', safely(list));
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: sources.flatMap(({ templates }) => templates),
  }));
  const read = async ({ params: { uri } }: ReadResourceRequest, request: ServerContext) => {
    const principal = who(request);
    if (!principal) throw new ResourceNotFoundError(uri);
    for (const source of sources) {
      const found = await source.read(uri, principal);
      if (found) return { contents: [{ uri, ...found }] };
    }
    throw new ResourceNotFoundError(uri);
  };
  server.setRequestHandler('resources/read', safely(read));
}

/** Bytes of such a resource, at most. Who reads one has asked for it: it may be longer than a tool's result. */
const LONGEST = 65_536;

/** What a source of Holdpoint's own facts gives: redacted and bounded. */
export function bounded(
  value: JsonObject,
  { redactor }: Pick<Services, 'redactor'>,
): { text: string; mimeType: string } {
  return { text: JSON.stringify(bound(redactor.json(value), LONGEST).value, null, 1), mimeType: 'application/json' };
}
