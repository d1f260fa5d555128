import type { SeedCall } from './seed.ts';

type Call = SeedCall['call'];

export const view = (path: string): Call => ({ tool: 'view', input: { path } });
export const save = (path: string, content = 'kept: true\n'): Call => ({ tool: 'save-file', input: { path, content } });
export const edit = (path: string, oldText: string, newText: string): Call => ({
  tool: 'str-replace-editor',
  input: { path, oldText, newText },
});
export const remove = (...paths: string[]): Call => ({ tool: 'remove-files', input: { paths } });
export const launch = (program: string, ...args: string[]): Call => ({
  tool: 'launch-process',
  input: { program, args },
});
export const rollout = (action: string, name: string, namespace: string, more: object = {}): Call => ({
  tool: 'kubectl-rollout',
  input: { action, kind: 'deployment', name, namespace, ...more },
});
export const pods = (namespace: string): Call => ({ tool: 'kubectl-get', input: { kind: 'pods', namespace } });
export const build = (context: string, tag: string, more: object = {}): Call => ({
  tool: 'docker-build',
  input: { context, tags: [tag], ...more },
});
export const fetch = (url: string): Call => ({ tool: 'web-fetch', input: { url } });
export const find = (glob: string): Call => ({ tool: 'file-search', input: { glob } });
export const search = (query: string): Call => ({ tool: 'codebase-retrieval', input: { query } });
export const dispatch = (workflow: string, ref = 'main'): Call => ({
  tool: 'gh-workflow-run',
  input: { workflow, ref, inputs: { version: '1.2.3' } },
});
export const github = (action: string, more: object = {}): Call => ({ tool: 'github-api', input: { action, ...more } });
export const any = (tool: string, input: Record<string, unknown> = {}): Call => ({ tool, input });
/** The same call through use-tool. */
export const inside = ({ tool, input }: Call): Call => ({ tool: 'use-tool', input: { name: tool, arguments: input } });
export const dry = ({ tool, input }: Call): Call => ({ tool, input: { ...input, dryRun: true } });

export const allow = (call: Call, line: number, words: string): SeedCall => ({ call, expect: 'allow', line, words });
export const hold = (call: Call, line: number, words: string): SeedCall => ({
  call,
  expect: 'require_approval',
  line,
  words,
});
export const deny = (call: Call, line: number, words: string, handOff?: string): SeedCall => ({
  call,
  expect: 'deny',
  line,
  words,
  ...(handOff === undefined ? {} : { handOff }),
});
