import { describe, expect, test } from 'vitest';

import { loadConfig } from '../../../src/config/config.ts';
import { readFacts } from '../../../src/config/facts.ts';
import { classify } from '../../../src/core/classify.ts';
import type { Facts } from '../../../src/core/facts.ts';
import { newFolder, put, refusal } from './kit.ts';

/** A kubeconfig of one context whose user is this. */
function kubeconfig(user: object): string {
  return JSON.stringify({
    'current-context': 'kind-dev',
    clusters: [{ name: 'kind', cluster: { server: 'https://127.0.0.1:6443' } }],
    users: [{ name: 'ann', user }],
    contexts: [{ name: 'kind-dev', context: { cluster: 'kind', user: 'ann' } }],
  });
}

/** The facts of a machine with these kubeconfigs, in this order; `undefined` stands for a missing one. */
async function factsWith(root: string, ...users: (object | undefined)[]): Promise<Facts> {
  put(root, 'work/README.md', '');
  const files = users.map((user, index) =>
    user === undefined ? `${root}/missing` : put(root, `kube/${index}`, kubeconfig(user)),
  );
  return readFacts(loadConfig({ workspace: `${root}/work` }, { HOME: root, KUBECONFIG: files.join(':') }));
}

const exec = (command: string) => ({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command } });
const CALLS = [
  { program: 'kubectl', args: ['get', 'pods'] },
  { program: 'helm', args: ['list'] },
];

describe('plugins of kubeconfigs are the operator’s, by absolute path (C4)', () => {
  test('tokens, certificates and a plugin outside the workspace by its absolute path are used', async () => {
    for (const user of [{ token: 'x' }, exec('/usr/local/bin/plugin')]) {
      const facts = await factsWith(newFolder(), user);
      for (const call of CALLS) expect(classify(call, facts).targets).toHaveLength(1);
    }
  });

  test.each<[string, (root: string) => (object | undefined)[]]>([
    ['a bare name', () => [exec('plugin')]],
    ['a relative path', () => [exec('./plugin')]],
    ['a file of the workspace', (root) => [exec(`${root}/work/plugin`)]],
    ['an auth-provider', () => [{ 'auth-provider': { name: 'gcp', config: { 'cmd-path': '/bin/sh' } } }]],
    ['a token file of the workspace', (root) => [{ tokenFile: `${root}/work/token` }]],
    ['a bare name beside a kubeconfig that is missing', () => [undefined, exec('plugin')]],
  ])('%s is refused, and what needs no cluster still runs', async (_, users) => {
    const root = newFolder();
    const facts = await factsWith(root, ...users(root));
    for (const call of CALLS) {
      const { code, rule, hint } = await refusal(() => classify(call, facts));
      expect([code, rule]).toEqual(['denied', 'kubeconfig']);
      expect(hint).toMatch(/operator/);
    }
    expect(classify({ program: 'kubectl', args: ['config', 'get-contexts'] }, facts).effect).toBe('read');
    expect(classify({ program: 'helm', args: ['template', 'x', 'chart'] }, facts).effect).toBe('read');
  });
});
