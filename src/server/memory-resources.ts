import { randomUUID } from 'node:crypto';

import { MEMORY_FOLDER, memoryName, memoryPath } from '../adapters/memory/port.ts';
import { fileTarget, folderTarget } from '../core/paths.ts';
import type { Principal } from '../core/principal.ts';
import { decide } from '../policy/decide.ts';
import type { Dispatch } from './dispatch.ts';
import { HoldpointError } from '../core/errors.ts';
import type { ResourceSource } from './resources.ts';
import type { Call, Services } from './services.ts';

const ADDRESS = 'holdpoint://memory/';
const TYPE = 'text/markdown';
const TOOL = 'read-memory';
const MOST = 200;

/**
 * Memories as resources: one is read by a call of read-memory through dispatch, so that policy, redaction, limits and the audit
 * log are those of the tool; names are told as far as the same decision lets them be read.
 */
export function memoryResources(
  services: Pick<Services, 'ports' | 'policies' | 'draining' | 'now'>,
  dispatch: Dispatch,
  transport: Call['transport'],
): ResourceSource {
  async function names(principal: Principal): Promise<string[]> {
    const policy = await services.policies.current();
    const may = (target: ReturnType<typeof fileTarget>) =>
      decide(policy, { principal, tool: TOOL, targets: [target] }, services.now()).verdict === 'allow';
    if (!may(folderTarget(MEMORY_FOLDER))) return [];
    const { files } = services.ports;
    const folder = await files.look(MEMORY_FOLDER);
    if (folder.type !== 'folder') return [];
    const { entries } = await files.list(folder, {
      recursive: true,
      glob: `${MEMORY_FOLDER}/**/*.md`,
      respectIgnore: false,
      permits: ({ path, real }) => [path, real].every((each) => may(fileTarget(each, 'read'))),
      limit: MOST,
      signal: services.draining,
    });
    return entries.flatMap(({ path }) => memoryName(path) ?? []);
  }

  return {
    list: async (principal) =>
      (await names(principal)).map((name) => ({ uri: `${ADDRESS}${name}`, name: `memory ${name}`, mimeType: TYPE })),
    templates: [
      {
        uriTemplate: `${ADDRESS}{+name}`,
        name: 'memory',
        title: 'A memory of the team',
        description: 'One memory by its name, such as decisions/registry.',
        mimeType: TYPE,
      },
    ],
    async read(uri, principal) {
      if (!uri.startsWith(ADDRESS)) return undefined;
      const name = uri.slice(ADDRESS.length);
      try {
        memoryPath(name);
      } catch (error) {
        if (error instanceof HoldpointError) return undefined;
        throw error;
      }
      const { envelope, text } = await dispatch.call({
        id: randomUUID(),
        tool: TOOL,
        arguments: { name },
        principal,
        scopes: ['tools:read'],
        transport,
        signal: services.draining,
        progress: () => {},
      });
      // What may not be read is, from here, no more there than what is missing; dispatch has recorded which it was.
      return envelope.status === 'done' ? { text, mimeType: TYPE } : undefined;
    },
    complete: async (variable, begun, principal) =>
      variable === 'name' ? (await names(principal)).filter((name) => name.startsWith(begun)) : [],
  };
}
