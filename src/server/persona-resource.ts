import { serverTools, useTool } from './server-tools.ts';
import { bounded, type ResourceSource } from './resources.ts';
import type { Services } from './services.ts';
import type { Shelf } from './skills.ts';

const ADDRESS = 'holdpoint://persona';

/** Who the agent is here. Its instructions are what it was told when it connected. */
export function personaResource(services: Services, shelf: Shelf): ResourceSource {
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
      const listed = [
        ...persona.tools.filter((tool) => registry.has(tool)),
        ...serverTools(services).keys(),
        useTool.name,
      ];
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
          tools: listed,
          moreTools: [...registry.keys()].filter((tool) => !listed.includes(tool)),
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
