import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readAddress } from '../../../src/core/process-urls.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { classify } from '../../../src/core/classify.ts';
import { readGrammar } from '../../../src/config/programs.ts';
import { classified, FACTS, refusal } from './kit.ts';

const at = (line: string) =>
  classified(line)
    .targets.filter(({ kind }) => kind === 'process')
    .map((target) => target.at);

describe('where programs act that reach elsewhere (C4, I1)', () => {
  test('a profile of aws tells the environment, and a cluster of ECS besides; without either it is unknown', () => {
    expect(at('aws sts get-caller-identity')).toEqual([{}]);
    expect(at('aws sts get-caller-identity --profile staging')).toEqual([{ cluster: 'staging' }]);
    const places = at('aws ecs list-services --profile staging --cluster prod');
    expect(places).toHaveLength(2);
    expect(places).toEqual(expect.arrayContaining([{ cluster: 'staging' }, { cluster: 'prod' }]));
  });

  test('shuttle and sqlx act at a place that is not known, which counts as production', () => {
    expect(at('shuttle logs --latest --name shop')).toEqual([{}]);
    expect(at('sqlx migrate info --source migrations')).toEqual([{}]);
  });

  test('systemctl, journalctl and npm look at this machine', () => {
    for (const line of ['systemctl status docker', 'journalctl -u docker -n 5', 'npm ls'])
      expect(at(line)).toEqual([{ host: 'localhost' }]);
  });

  test('what curl fetches is a host target as of web-fetch, besides the process', () => {
    expect(classified('curl -I https://staging.example.com/health').targets).toEqual([
      {
        kind: 'process',
        id: 'curl -I https://staging.example.com/health',
        effect: 'read',
        command: 'curl',
        at: { host: 'staging.example.com' },
      },
      { kind: 'host', id: 'staging.example.com', effect: 'read', at: { host: 'staging.example.com' } },
    ]);
    expect(classified('curl http://[::1]:3000/').targets[1]).toMatchObject({ kind: 'host', id: '::1' });
  });

  test('curl takes nothing from files, follows nothing, and ends', () => {
    const { argv } = classified('curl -sS https://staging.example.com');
    expect(argv[0]).toBe('--disable');
    expect(argv.join(' ')).toMatch(/--globoff --proto =http,https --noproxy \* --max-redirs 0 --max-time 60/);
    expect(argv.at(-1)).toBe('https://staging.example.com/');
  });
});

describe('what is passed on in place of what is written (C4)', () => {
  test('helm does not read schemas, which name addresses and files that it would fetch', () => {
    expect(classified('helm template x kubernetes/chart').argv).toContain('--skip-schema-validation');
    expect(classified('helm lint kubernetes/chart').argv).toContain('--skip-schema-validation');
  });

  test('npm looks for a package where it runs and in no folder above', () => {
    expect(classified('npm ls').argv).toEqual(['--prefix=.', 'ls']);
  });

  test('systemctl status runs show, which prints no command lines and no journal', () => {
    const { argv, command } = classified('systemctl status docker');
    expect(command).toBe('systemctl status');
    expect(argv.slice(0, 3)).toEqual(['--no-pager', '--no-ask-password', 'show']);
    expect(argv.join(' ')).not.toMatch(/Exec(Start|Stop)|Environment|status/);
  });

  test('a cluster of switches may end in a flag with a value', () => {
    expect(classified('journalctl -fu docker -n 5').argv).toEqual(
      expect.arrayContaining(['--follow', '--unit=docker', '--lines=5']),
    );
  });

  test('sqlx never reads .env, and reads the migrations as files of the workspace (C3)', () => {
    const { argv, paths } = classified('sqlx migrate info --source migrations', 'db');
    expect(argv).toContain('--no-dotenv');
    expect(argv).toContain('--source=./migrations');
    expect(paths).toEqual([{ path: 'db/migrations', kind: 'tree', effect: 'read' }]);
  });

  test('a flag that names an output file is a write of that file', () => {
    const sample = readGrammar(
      'program: sample\nacts: local\nfolder: workspace\ncommands: [{ words: "", usage: sample, effect: read, flags: { --out: { kind: file, effect: write } } }]',
      'sample.yaml',
    );
    const { effect, targets } = classify(
      { program: 'sample', args: ['--out', '../b/x'], cwd: 'a' },
      { ...FACTS, programs: { sample } },
    );
    expect(effect).toBe('write');
    expect(targets).toContainEqual({ kind: 'file', id: 'b/x', effect: 'write', path: 'b/x' });
  });
});

describe('addresses that a program fetches by itself (C5)', () => {
  test.each([
    'http://staging.example.com/',
    'https://staging.example.com:22/',
    'https://a@b.example/',
    'https://a.example/#x',
    'https://A.example/',
    'https://a.example./',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://[::ffff:127.0.0.1]/',
    'https://[fe80::1]/',
    'https://a.example\\@b.example/',
    'https:a.example',
    'https:///a.example',
    '//a.example',
    'ftp://a.example/',
    'https://xn--/',
    'https://ä.example/',
  ])('%s is refused', async (address) => {
    expect((await refusal(() => readAddress(address))).code).toBe('denied');
  });

  test('whatever passes is one address in one spelling, https or of this machine', () => {
    const part = fc.constantFrom(
      'a',
      '.',
      '-',
      '1',
      '127.0.0.1',
      'localhost',
      '@',
      ':',
      '80',
      '/',
      '\\',
      '[',
      ']',
      '::1',
      '?',
      '#',
      '%2f',
      '0x7f',
      ' ',
      'example.com',
    );
    fc.assert(
      fc.property(
        fc.constantFrom('http://', 'https://', 'HTTP://', 'https:/', 'file://'),
        fc.array(part, { maxLength: 8 }),
        (scheme, parts) => {
          let read;
          try {
            read = readAddress(scheme + parts.join(''));
          } catch (error) {
            expect(error).toBeInstanceOf(HoldpointError);
            return;
          }
          const url = new URL(read.href);
          expect(url.href).toBe(read.href);
          expect(url.hostname.replace(/^\[|\]$/g, '')).toBe(read.host);
          expect([url.username, url.password, url.hash]).toEqual(['', '', '']);
          if (url.protocol !== 'https:') expect(['localhost', '127.0.0.1', '::1']).toContain(read.host);
        },
      ),
      { numRuns: 20_000 },
    );
  });
});
