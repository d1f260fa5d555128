import type { Facts } from '../core/facts.ts';
import { estimateTokens } from '../personas/budget.ts';
import type { ImportScope } from '../personas/documents/import.ts';
import { toolList } from './mcp.ts';
import type { Registry } from './registry.ts';
import type { Services } from './services.ts';

/** What persona documents are read against. */
export function importScope(registry: Registry, facts: Pick<Facts, 'programs'>): ImportScope {
  return {
    tools: (name) => registry.get(name),
    toolNames: [...registry.keys()],
    facts,
    // The list depends on nothing else of the services.
    cost: (tools) => estimateTokens(toolList({ registry, persona: { tools } } as unknown as Services, 'persona')),
  };
}
