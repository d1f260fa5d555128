import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { loadConfig, refuseExposed } from '../../../src/config/config.ts';
import { parseDuration } from '../../../src/config/duration.ts';
import { readFacts } from '../../../src/config/facts.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'holdpoint-config-'));
  mkdirSync(join(root, 'work/inner'), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const env = () => ({ HOME: root, USER: 'ann' });

describe('settings', () => {
  test('defaults: state and keys apart, under the home directory', () => {
    const config = loadConfig({ workspace: join(root, 'work') }, env());
    expect(config).toMatchObject({
      persona: 'devops',
      tools: 'persona',
      user: userInfo().username,
      transport: { kind: 'unset' },
      state: join(root, '.local/state/holdpoint'),
      keys: join(root, '.config/holdpoint/keys'),
    });
    expect(Object.isFrozen(config) && Object.isFrozen(config.approvals)).toBe(true);
  });

  test('a flag wins over the environment, the environment over the file', () => {
    const file = join(root, 'holdpoint.yaml');
    writeFileSync(file, 'persona: from-file\ntools: all\nstate: from-file\nworkspace: work\n');
    const config = loadConfig(
      { persona: 'from-flag', config: file, workspace: join(root, 'work') },
      { ...env(), HOLDPOINT_PERSONA: 'from-env', HOLDPOINT_STATE: join(root, 'from-env') },
    );
    expect(config).toMatchObject({
      persona: 'from-flag',
      state: join(root, 'from-env'),
      keys: join(root, 'from-env.keys'),
      tools: 'all',
    });
  });

  test('every flag of serve has its variable', () => {
    const config = loadConfig(
      {},
      {
        ...env(),
        HOLDPOINT_HTTP: '127.0.0.1:9000',
        HOLDPOINT_WORKSPACE: join(root, 'work'),
        HOLDPOINT_POLICY: 'p.yaml',
        HOLDPOINT_TOOLS: 'all',
        HOLDPOINT_PERSONA: 'x',
      },
    );
    expect(config).toMatchObject({
      transport: { kind: 'http', host: '127.0.0.1', port: 9000 },
      workspace: join(root, 'work'),
      policy: 'p.yaml',
      tools: 'all',
      persona: 'x',
    });
    expect(loadConfig({ workspace: join(root, 'work') }, { ...env(), HOLDPOINT_STDIO: '1' }).transport).toEqual({
      kind: 'stdio',
    });
    expect(
      loadConfig({ workspace: join(root, 'work'), stdio: true }, { ...env(), HOLDPOINT_HTTP: ':1' }).transport,
    ).toEqual({ kind: 'stdio' });
  });

  test.each([
    [{ tools: 'some' }, {}, /tools: /],
    [{ http: 'nowhere' }, {}, /HOST:PORT/],
    [{ http: '127.0.0.1:99999' }, {}, /HOST:PORT/],
    [{ config: '/no/such/file' }, {}, /cannot be read/],
    [{}, { HOLDPOINT_TOKEN: 'short' }, /httpAuth.token/],
    [{ stdio: true, http: true }, {}, /not both|Both stdio and HTTP/],
  ])('%j %j is refused with what to write', (flags, extra, message) => {
    expect(() => loadConfig({ workspace: join(root, 'work'), ...flags }, { ...env(), ...extra })).toThrow(message);
  });

  test('unknown keys and bad durations of the file are named', () => {
    const file = join(root, 'bad.yaml');
    writeFileSync(file, 'persna: x\napprovals: { lease: soon }\n');
    expect(() => loadConfig({ config: file, workspace: join(root, 'work') }, env())).toThrow(/persna.*|lease/);
    expect(() => loadConfig({ config: file, workspace: join(root, 'work') }, env())).toThrow(
      /approvals\.lease: "soon" is no duration/,
    );
  });

  test('systems have the variables their users know; what is marked secret is collected (A4)', () => {
    const file = join(root, 'systems.yaml');
    writeFileSync(
      file,
      'github: { token: from-file, repository: acme/shop }\nmonitoring: { grafana: { url: "http://g:3000/", token: graf-token } }\n',
    );
    const config = loadConfig(
      { config: file, workspace: join(root, 'work') },
      { ...env(), GH_TOKEN: 'gh-token', GITHUB_TOKEN: 'other', PROMETHEUS_URL: 'http://127.0.0.1:9090' },
    );
    expect(config.github).toEqual({ url: 'https://api.github.com', token: 'gh-token', repository: 'acme/shop' });
    expect(config.monitoring).toEqual({
      grafana: { url: 'http://g:3000', token: 'graf-token' },
      prometheus: { url: 'http://127.0.0.1:9090' },
    });
    expect(config.secrets.toSorted()).toEqual(['gh-token', 'graf-token']);
    expect(() => loadConfig({ workspace: join(root, 'work') }, { ...env(), PROMETHEUS_URL: 'http://u:p@h' })).toThrow(
      /monitoring.prometheus.url: write an address/,
    );
  });

  test('D1 accounts of registries: one for each host, the passwords secret', () => {
    const file = join(root, 'registries.yaml');
    const load = (text: string) => {
      writeFileSync(file, `docker: { registries: [${text}] }\n`);
      return loadConfig({ config: file, workspace: join(root, 'work') }, { ...env(), DOCKER_HOST: 'unix:///x.sock' });
    };
    const one = '{ host: Registry.example.org:5000, username: ci, password: pa55word }';
    expect(load(one).docker).toEqual({
      host: 'unix:///x.sock',
      registries: [{ host: 'registry.example.org:5000', username: 'ci', password: 'pa55word' }],
    });
    expect(load(one).secrets).toEqual(['pa55word']);
    expect(() => load(`${one}, ${one}`)).toThrow(/docker.registries: name each host once/);
    expect(() => load(one.replace('Registry', 'https://r'))).toThrow(/docker.registries.0.host: write the host/);
    expect(load('').docker.registries).toEqual([]);
  });

  test('I8 places for checkpoints: one of three each; the address of a webhook is a secret', () => {
    const file = join(root, 'audit.yaml');
    const load = (text: string) => {
      writeFileSync(file, `audit: { checkpoints: [${text}] }\n`);
      return loadConfig({ config: file, workspace: join(root, 'work') }, env());
    };
    const good =
      '{ file: /var/log/h }, { git: /srv/h.git, ref: refs/h/prod }, { webhook: "https://hooks.example/t0ken" }';
    expect(load(good).audit.checkpoints).toHaveLength(3);
    expect(load(good).secrets).toEqual(['https://hooks.example/t0ken']);
    for (const [wrong, says] of [
      ['{ file: log }', /audit.checkpoints.0.file: write an absolute path/],
      ['{ git: /srv/h.git, ref: main }', /audit.checkpoints.0.ref: write a ref/],
      ['{ git: /srv/h.git, ref: refs/heads/../x }', /ref: write a ref/],
      ['{ webhook: "http://hooks.example/" }', /webhook: write an address with https/],
      ['{ webhook: "http://127.0.0.1.evil.example/" }', /webhook: write an address with https/],
      ['{ file: /a, webhook: "https://a/" }', /write one of file, git and webhook/],
      ['{}', /write one of file, git and webhook/],
      ['{ s3: x }', /s3/],
    ] as const)
      expect(() => load(wrong), wrong).toThrow(says);
  });

  test.each([
    ['git@github.com:acme/shop.git', 'acme/shop'],
    ['https://github.com/acme/shop', 'acme/shop'],
    ['ssh://git@github.com:22/acme/shop.git', 'acme/shop'],
    ['https://github.com.evil.example/acme/shop', undefined],
    ['../shop.git', undefined],
  ])('the repository is that of origin %s where it lies on the same GitHub', async (url, repository) => {
    const workspace = mkdtempSync(join(root, 'clone-'));
    mkdirSync(join(workspace, '.git'));
    writeFileSync(
      join(workspace, '.git/config'),
      `[core]\n\tbare = false\n[remote "origin"]\n\turl = ${url}\n\tfetch = x\n`,
    );
    expect((await readFacts(loadConfig({ workspace }, env()))).github).toEqual(repository ? { repository } : {});
  });

  test('state or keys inside the workspace are refused, through a link as well', () => {
    symlinkSync(join(root, 'work/inner'), join(root, 'link'));
    for (const state of ['work/state', 'work', 'link/state']) {
      expect(() =>
        refuseExposed(loadConfig({ workspace: join(root, 'work'), state: join(root, state) }, env())),
      ).toThrow(/inside the workspace/);
    }
    expect(() =>
      refuseExposed(loadConfig({ workspace: join(root, 'work'), state: join(root, 'work-evil') }, env())),
    ).not.toThrow();
  });

  test('durations', () => {
    expect([
      parseDuration('30s'),
      parseDuration('24h'),
      parseDuration('250ms'),
      parseDuration('1.5h'),
      parseDuration('h'),
    ]).toEqual([30_000, 86_400_000, 250, undefined, undefined]);
  });
});
