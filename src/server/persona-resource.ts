import { estimateTokens, type Definition } from '../personas/budget.ts';
import { bounded, type ResourceSource } from './resources.ts';
import type { Services } from './services.ts';
import type { Shelf } from './skills.ts';

const ADDRESS = 'holdpoint://persona';

/**
 * Who the agent is here. Its instructions are what it was told when it connected.
 *
 * @param listed the tools that `tools/list` gives
 */
export function personaResource(services: Services, shelf: Shelf, listed: readonly Definition[]): ResourceSource {
  return {
    list: async () => [
      {
        uri: ADDRESS,
        name: 'persona',
        title: 'Who you are here',
        description: 'Your tools, skills, other servers and the roles you hand work to.',
        mimeType: 'application/json',
      },
    ],
    templates: [],
    async read(uri, principal) {
      if (uri !== ADDRESS) return undefined;
      const { persona, registry } = services;
      const { name, rules } = await services.policies.current();
      const names = listed.map((tool) => tool.name);
      return bounded(
        {
          name: persona.name,
          title: persona.title,
          description: persona.description,
          version: persona.version,
          ...(persona.tags.length > 0 ? { tags: persona.tags } : {}),
          you: { person: principal.person, agent: principal.agent, client: principal.client },
          policy: name,
          tokenBudget: persona.tokenBudget,
          toolsCost: estimateTokens(listed),
          tools: names,
          moreTools: [...registry.keys()].filter((tool) => !names.includes(tool)),
          skills: (await shelf()).map((skill) => skill.name),
          upstreams: persona.upstreams,
          handsWorkTo: [...new Set(rules.flatMap(({ handOff }) => handOff ?? []))].sort(),
          leavesHandOffRecords: persona.handOffs,
          ...(persona.workflow === undefined ? {} : { workflow: persona.workflow }),
        },
        services,
      );
    },
  };
}
