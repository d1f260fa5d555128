import { describe, expect, test } from 'vitest';

import { checkBudget, estimateTokens } from '../../../src/personas/budget.ts';
import { loadPersona, shippedPersonas } from '../../../src/personas/persona.ts';
import { realTokens } from '../../../src/personas/tokenizer.ts';
import { toolList } from '../../../src/server/mcp.ts';
import { loadRegistry } from '../../../src/server/registry.ts';
import type { Services } from '../../../src/server/services.ts';

describe.each(shippedPersonas())('the token budget of %s (B2)', (name) => {
  test('what tools/list costs stays below it in both counts', async () => {
    const [persona, registry] = await Promise.all([loadPersona(name), loadRegistry()]);
    // The list depends on nothing else of the services.
    const tools = toolList({ persona, registry } as Services, 'persona');
    expect(tools.map((tool) => tool.name)).toEqual([...persona.tools, 'approval', 'find-tools', 'use-tool']);
    for (const tokens of [estimateTokens(tools), await realTokens(tools)]) {
      expect(tokens).toBeGreaterThan(300);
      expect(tokens).toBeLessThanOrEqual(persona.tokenBudget);
    }
  });
});

test('hypertool’s estimate counts words by their length', () => {
  expect(estimateTokens([{ name: 'abc', description: 'four five5 sevens7', inputSchema: { a: 1 } }])).toBe(
    1 + 1 + 1 + 2 + 2,
  );
});

test('a persona over its budget or with unknown tools is refused, and the tools are named', async () => {
  const persona = await loadPersona('devops');
  const tools = persona.tools.map((name) => ({ name, description: 'a b c', inputSchema: {} }));
  expect(() => checkBudget(persona, tools)).not.toThrow();
  expect(() => checkBudget({ ...persona, tokenBudget: 20 }, tools)).toThrow(
    expect.objectContaining({
      message: expect.stringMatching(/cost \d+ tokens; its budget is 20/),
      hint: expect.stringContaining('codebase-retrieval'),
    }),
  );
  expect(() => checkBudget({ ...persona, tools: ['view', 'viwe'] }, tools)).toThrow(/do not exist: viwe/);
  // An upstream server's tools come once a person has accepted them; of a server that it may not use there are none.
  const servers = { ...persona, upstreams: ['github'] };
  expect(() => checkBudget({ ...servers, tools: ['view', 'github__list_issues'] }, tools)).not.toThrow();
  expect(() => checkBudget({ ...servers, tools: ['view', 'other__list'] }, tools)).toThrow(/do not exist: other__list/);
});
