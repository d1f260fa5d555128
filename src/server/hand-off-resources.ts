import type { Json } from '../core/json.ts';
import { HoldpointError } from '../core/errors.ts';
import type { ResourceSource } from './resources.ts';
import type { Services } from './services.ts';

const ADDRESS = 'holdpoint://hand-offs';
const TYPE = 'application/json';
const MOST = 50;

/** What is left for this persona's role, and each hand-off by its id. */
export function handOffResources({
  handOffs,
  persona,
  redactor,
}: Pick<Services, 'handOffs' | 'persona' | 'redactor'>): ResourceSource {
  const open = () => handOffs.list({ to: persona.name, states: ['open', 'taken'], limit: MOST });
  const shown = (value: unknown) => ({
    text: JSON.stringify(redactor.json(JSON.parse(JSON.stringify(value)) as Json), null, 1),
    mimeType: TYPE,
  });
  return {
    list: async () => [
      {
        uri: ADDRESS,
        name: 'hand-offs',
        title: 'Work left for this role',
        description: `What other roles have left for ${persona.name}: open and taken hand-offs.`,
        mimeType: TYPE,
      },
    ],
    templates: [
      {
        uriTemplate: `${ADDRESS}/{id}`,
        name: 'hand-off',
        title: 'One hand-off',
        description: 'What was to be done, why it was refused here, and what the agent was doing.',
        mimeType: TYPE,
      },
    ],
    async read(uri) {
      if (uri === ADDRESS) return shown({ role: persona.name, handOffs: await open() });
      if (!uri.startsWith(`${ADDRESS}/`)) return undefined;
      try {
        return shown(await handOffs.find(decodeURIComponent(uri.slice(ADDRESS.length + 1))));
      } catch (error) {
        if (error instanceof URIError || (error instanceof HoldpointError && error.code === 'not_found'))
          return undefined;
        throw error;
      }
    },
    complete: async (variable, begun) =>
      variable === 'id' ? (await open()).map(({ id }) => id).filter((id) => id.startsWith(begun)) : [],
  };
}
