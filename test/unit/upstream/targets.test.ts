import { describe, expect, test } from 'vitest';

import { usableTool, type UpstreamTool } from '../../../src/adapters/upstream/definition.ts';
import { callTargets, pathArguments, withPaths } from '../../../src/adapters/upstream/targets.ts';
import { upstreams } from '../../../src/config/upstreams.ts';

const tool = usableTool('s', { name: 'get_pods', inputSchema: { type: 'object' } }) as UpstreamTool;
const rules = (entry: unknown) => upstreams.parse({ servers: { s: entry } }).servers['s'];
const places = (entry: unknown, input: object) => callTargets(tool, rules(entry), input as never).map(({ at }) => at);

describe('what a call of an upstream’s tool touches', () => {
  test('B5: without settings, the tool of that server and nothing that tells where', () => {
    expect(callTargets(tool, undefined, { namespace: 'dev' })).toEqual([
      { kind: 'upstream', id: 's__get_pods', resource: 's', effect: 'destroy', at: { upstream: 's' } },
    ]);
  });

  test('B5: the first entry that names the tool counts, with * for any letters and nothing else', () => {
    const entry = {
      arguments: [
        { tools: ['get.pods', 'other'], namespace: 'wrong' },
        { tools: ['*_pods'], namespace: 'namespace', kubeContext: 'context' },
        { tools: ['*'], namespace: 'wrong' },
      ],
    };
    expect(places(entry, { namespace: 'a', context: 'b', wrong: 'c' })).toEqual([
      { upstream: 's', namespace: 'a', kubeContext: 'b' },
    ]);
  });

  test.each([
    [{}, [{}]],
    [{ namespace: '' }, [{}]],
    [{ namespace: null }, [{}]],
    [{ namespace: { a: 1 } }, [{}]],
    [{ namespace: ['a', 1] }, [{}]],
    [{ namespace: ['a', 'b', 'a'] }, [{ namespace: 'a' }, { namespace: 'b' }]],
    [{ namespace: 'a', all: true }, [{}]],
    [{ namespace: 'a', all: 'yes' }, [{}]],
    [{ namespace: 'a', all: false }, [{ namespace: 'a' }]],
  ])('B5: %j acts at %j', (input, expected) => {
    const entry = { at: { cluster: 'c' }, arguments: [{ tools: ['*'], namespace: 'namespace', wide: ['all'] }] };
    expect(places(entry, input)).toEqual(expected.map((each) => ({ cluster: 'c', upstream: 's', ...each })));
  });

  test('B5: no more than 50 places in one call', () => {
    const many = Array.from({ length: 51 }, (_, at) => `n${at}`);
    expect(() => places({ arguments: [{ tools: ['*'], namespace: 'n' }] }, { n: many })).toThrow('more than 50');
  });

  test('B5 B3: paths are sent as they were decided, each in its place', () => {
    const settings = rules({ arguments: [{ tools: ['*'], paths: ['path', 'paths'] }] });
    const input = { path: 'a/../b', paths: ['/work/c', 'd'], other: 'e' };
    const found = pathArguments(tool, settings, input, '/work');
    expect(found.map(({ path }) => path)).toEqual(['b', 'c', 'd']);
    expect(withPaths(input, found, '/work')).toEqual({ path: '/work/b', paths: ['/work/c', '/work/d'], other: 'e' });
    for (const path of ['/workevil/x', '/work/../x', '../x', '/', '~/x', 'a\u200B'])
      expect(() => pathArguments(tool, settings, { path }, '/work'), path).toThrow();
  });

  test('B5: a misspelt setting is an error', () => {
    expect(() => rules({ arguments: [{ tools: ['*'], namespaces: 'x' }] })).toThrow();
    expect(() => rules({ at: { upstream: 'x' } })).toThrow();
  });
});
