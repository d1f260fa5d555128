import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readKubeContexts } from '../../../src/adapters/kubernetes/contexts.ts';
import { loadKubeconfig, singleContext } from '../../../src/adapters/kubernetes/kubeconfig.ts';

const config = (user: string, more = '') => `
current-context: prod
clusters:
  - { name: eu-1, cluster: { server: 'https://10.0.0.1:6443', certificate-authority: ca.crt } }
users:
  - { name: admin, user: ${user} }
contexts:
  - { name: prod, context: { cluster: eu-1, user: admin, namespace: tta-prod } }
  - { name: plain, context: { cluster: eu-1, user: admin } }
${more}`;

describe('readKubeContexts', () => {
  test('I1 names contexts with cluster and namespace, and nothing secret', () => {
    expect(readKubeContexts(config('{ token: planted-1 }'))).toEqual({
      current: 'prod',
      contexts: { prod: { cluster: 'eu-1', namespace: 'tta-prod' }, plain: { cluster: 'eu-1', namespace: 'default' } },
    });
  });

  test('merges as kubectl does: the first of two wins', () => {
    const other = config('{}').replace('current-context: prod', 'current-context: plain').replaceAll('eu-1', 'us-2');
    const facts = readKubeContexts(config('{}'), other);
    expect(facts.current).toBe('prod');
    expect(facts.contexts['prod']?.cluster).toBe('eu-1');
  });

  test('an empty file has no contexts; a current context that is not there is none', () => {
    expect(readKubeContexts('')).toEqual({ contexts: {} });
    expect(readKubeContexts('current-context: gone').current).toBeUndefined();
  });

  test('what is no kubeconfig is said to be none, and a context named __proto__ is only a name', () => {
    expect(() => readKubeContexts('{ a: [')).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    expect(() => readKubeContexts('just text')).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    const facts = readKubeContexts('contexts: [{ name: __proto__, context: { cluster: evil } }]');
    expect(Object.keys(facts.contexts)).toEqual(['__proto__']);
    expect('cluster' in {}).toBe(false);
  });
});

describe('loadKubeconfig', () => {
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-kubeconfig-'));
  const workspace = join(root, 'workspace');
  const file = (name: string, text: string) => {
    writeFileSync(join(root, name), text);
    return join(root, name);
  };
  const load = (path: string) => loadKubeconfig(path, workspace);

  beforeAll(() => {
    mkdirSync(workspace);
    writeFileSync(join(workspace, 'plugin'), '#!/bin/sh\n');
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('reads, resolves paths from its own folder, and gives one context', async () => {
    const parts = await load(file('good', config('{ client-key: keys/admin.key }')));
    expect(parts.clusters.get('eu-1')).toMatchObject({ 'certificate-authority': join(root, 'ca.crt') });
    expect(parts.users.get('admin')).toEqual({ 'client-key': join(root, 'keys/admin.key') });
    expect(singleContext(parts, 'plain')).toMatchObject({
      'current-context': 'plain',
      contexts: [{ context: { cluster: 'cluster' } }],
    });
    expect(() => singleContext(parts, 'prod-us')).toThrow(
      expect.objectContaining({ code: 'not_found', hint: expect.stringContaining('prod, plain') }),
    );
  });

  test('C3 refuses a kubeconfig in the workspace, also behind a link', async () => {
    writeFileSync(join(workspace, 'config'), config('{}'));
    symlinkSync(join(workspace, 'config'), join(root, 'link'));
    for (const path of [
      join(workspace, 'config'),
      join(root, 'link'),
      `${file('ok', config('{}'))}${delimiter}${join(root, 'link')}`,
    ]) {
      await expect(load(path)).rejects.toMatchObject({
        code: 'denied',
        message: expect.stringContaining('inside the workspace'),
      });
    }
  });

  test.each([
    ['a plugin by bare name', '{ exec: { command: aws, args: [eks] } }', 'not an absolute path'],
    ['a plugin by relative path', '{ exec: { command: ./plugin } }', 'not an absolute path'],
    ['a plugin in the workspace', `{ exec: { command: ${join(workspace, 'plugin')} } }`, 'inside the workspace'],
    ['a key in the workspace', `{ client-key: ${join(workspace, 'plugin')} }`, 'inside the workspace'],
    ['a token file in the workspace', '{ tokenFile: workspace/plugin }', 'inside the workspace'],
    ['an auth-provider', '{ auth-provider: { name: gcp, config: { cmd-path: /bin/sh } } }', 'auth-provider'],
  ])('refuses %s', async (_what, user, says) => {
    await expect(load(file('refused', config(user)))).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining(says),
    });
  });

  test('takes a plugin by absolute path; without a file it says what to set', async () => {
    await expect(load(file('exec', config('{ exec: { command: /usr/bin/true } }')))).resolves.toBeDefined();
    await expect(load(join(root, 'missing'))).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('KUBECONFIG'),
    });
    await expect(loadKubeconfig(undefined, workspace)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
