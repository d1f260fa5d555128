import { z } from 'zod';

import { workspacePath } from '../../../src/core/paths.ts';
import { defineTool } from '../../../src/core/tool.ts';
import type { AnyTool } from '../../../src/core/tool.ts';

const nothing = () => Promise.reject(new Error('the engine never plans or runs'));

const view: AnyTool = defineTool({
  name: 'view',
  title: 'View',
  description: 'Reads a file.',
  effect: 'read',
  needs: [],
  input: z.strictObject({ path: z.string() }),
  output: z.strictObject({}),
  targets: ({ path }) => [{ kind: 'file', id: path, effect: 'read', path: workspacePath(path) }],
  plan: nothing,
  run: nothing,
});

const saveFile: AnyTool = defineTool({
  name: 'save-file',
  title: 'Save',
  description: 'Writes a file.',
  effect: 'write',
  needs: [],
  input: z.strictObject({ path: z.string(), content: z.string() }),
  output: z.strictObject({}),
  targets: ({ path }) => [{ kind: 'file', id: path, effect: 'write', path: workspacePath(path) }],
  plan: nothing,
  run: nothing,
});

const removeFiles: AnyTool = defineTool({
  name: 'remove-files',
  title: 'Remove',
  description: 'Removes files.',
  effect: 'destroy',
  needs: [],
  input: z.strictObject({ paths: z.array(z.string()) }),
  output: z.strictObject({}),
  targets: ({ paths }) =>
    paths.map((path) => ({ kind: 'file', id: path, effect: 'destroy', path: workspacePath(path) })),
  plan: nothing,
  run: nothing,
});

const rollout: AnyTool = defineTool({
  name: 'kubectl-rollout',
  title: 'Roll out',
  description: 'Restarts a workload.',
  effect: 'write',
  needs: [],
  input: z.strictObject({ name: z.string(), namespace: z.string() }),
  output: z.strictObject({}),
  targets: ({ name, namespace }, { facts }) => [
    {
      kind: 'workload',
      resource: 'deployment',
      id: `deployment/${name} in ${namespace}`,
      effect: 'write',
      at: { namespace, ...(facts.kubernetes.current === undefined ? {} : { kubeContext: facts.kubernetes.current }) },
    },
  ],
  plan: nothing,
  run: nothing,
});

const TOOLS = new Map([view, saveFile, removeFiles, rollout].map((tool) => [tool.name, tool]));

/** Four small tools that name their targets as the real ones do, for tests of the engine alone. */
export const standIns = { tools: (name: string) => TOOLS.get(name), toolNames: [...TOOLS.keys()] };
