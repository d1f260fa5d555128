import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { classify } from '../../../src/core/classify.ts';
import { HoldpointError } from '../../../src/core/errors.ts';
import { workspacePath } from '../../../src/core/paths.ts';
import { classified, FACTS, PROGRAMS, refusal } from './kit.ts';

/** Each line that is allowed beside one that differs little and is not. */
const TWINS: [allowed: string, denied: string][] = [
  ['git status --short', 'git -c core.fsmonitor=evil status --short'],
  ['git status -sb', 'git status -sbx'],
  ['git diff --stat', 'git diff --output=stolen'],
  ['git diff main..HEAD', 'git diff main HEAD:src'],
  ['git diff HEAD -- docker/Dockerfile', 'git diff HEAD --patch'],
  ['git diff -U5 -- docker/Dockerfile', 'git diff --ext-diff -- docker/Dockerfile'],
  ['git show --stat HEAD', 'git show -p HEAD'],
  ['git show HEAD:docker/Dockerfile', 'git show :docker/Dockerfile'],
  ['git log --oneline -n 5', 'git log -p -n 5'],
  ['git log --format=%h%s', 'git log --format=%G?'],
  ['git log --since=2.weeks -- docker', 'git log -S password -- docker'],
  ['git blame -L 1,20 -- docker/Dockerfile', 'git blame --contents /etc/passwd -- docker/Dockerfile'],
  ['git branch feature/x', 'git branch -D feature/x'],
  ['git tag --list', 'git tag v1'],
  ['git add docker/Dockerfile', 'git add --all'],
  ['git commit -m words', 'git commit -a -m words'],
  ['git switch -c feature/x', 'git switch main'],
  ['git restore --staged docker/Dockerfile', 'git restore docker/Dockerfile'],
  ['git remote', 'git remote add x ext::sh'],
  ['git ls-files', 'git ls-remote --upload-pack=evil x'],
  ['kubectl get pods -n shop', 'kubectl get pods -n shop --server=https://evil'],
  ['kubectl get svc -o yaml', 'kubectl get secrets -o yaml'],
  ['kubectl get pods -o wide', 'kubectl get pods -o yaml'],
  ['kubectl get svc/x', 'kubectl get deploy/x -o json'],
  ['kubectl get cm,svc -o json', 'kubectl get pods,secrets -o json'],
  ['kubectl get secrets -o wide', 'kubectl get secret/x -o jsonpath={.data}'],
  ['kubectl get secret token', 'kubectl get secret token -o go-template={{.data}}'],
  ['kubectl get svc -o jsonpath={.items}', 'kubectl get deploy -o jsonpath-file=x'],
  ['kubectl get all', 'kubectl get all -o yaml'],
  ['kubectl get nodes -o yaml', 'kubectl get secrets.v1. -o yaml'],
  ['kubectl get pod/a', 'kubectl get pod/a secret/b -o yaml'],
  ['kubectl get pods --context prod', 'kubectl get pods --kubeconfig x'],
  ['kubectl --context prod get pods', 'kubectl --conte prod get pods'],
  ['kubectl get pods --request-timeout=5s', 'kubectl get pods --as=admin'],
  ['kubectl get pods -l app=x', 'kubectl get pods --token=x'],
  ['kubectl get events', 'kubectl get --raw /api/v1/secrets'],
  ['kubectl get ns', 'kubectl get ns --insecure-skip-tls-verify'],
  ['kubectl describe svc x', 'kubectl describe pod x'],
  ['kubectl describe svc/x', 'kubectl describe secret x'],
  ['kubectl logs x --tail 5', 'kubectl logs x --profile-output=y'],
  ['kubectl rollout status deploy/x', 'kubectl rollout restart deploy/x'],
  ['kubectl scale deploy/x --replicas 2', 'kubectl scale --all --replicas 2'],
  ['kubectl config get-contexts', 'kubectl config view'],
  ['kubectl auth can-i get pods', 'kubectl auth can-i get pods --as=admin'],
  ['kubectl wait --for condition=Ready pod/x', 'kubectl wait --for condition=Ready -f x.yaml'],
  ['docker ps -a', 'docker -H tcp://evil:2375 ps -a'],
  ['docker images', 'docker --context evil images'],
  ['docker logs api --tail 5', 'docker inspect api'],
  ['docker stop api', 'docker rm api'],
  ['docker compose -p shop ps', 'docker compose -f evil.yaml ps'],
  ['docker compose -p shop restart', 'docker compose -p shop up'],
  ['gh run list -R o/r', 'gh run list -R evil.host/o/r'],
  ['gh run view 5 -R o/r --log-failed', 'gh run view 5'],
  ['gh pr view 5 -R o/r --json title,state', 'gh pr view 5 -R o/r --json title --jq env'],
  ['gh pr checks 5 -R o/r', 'gh pr merge 5 -R o/r'],
  ['gh workflow list -R o/r', 'gh api /user -F k=@file'],
  ['helm list -n shop', 'helm get values x -n shop'],
  ['helm template x kubernetes/chart', 'helm template x kubernetes/chart --post-renderer sh'],
  ['helm lint kubernetes/chart', 'helm lint kubernetes/chart --kubeconfig x'],
  ['terraform fmt -check main.tf', 'terraform fmt main.tf -chdir=x'],
  ['terraform version', 'terraform plan'],
];

describe('the table of programs (C4)', () => {
  test.each(TWINS)('%s is known, %s is not', async (allowed, denied) => {
    expect(classified(allowed).targets.length).toBeGreaterThan(0);
    const { code, hint } = await refusal(() => classified(denied));
    expect(code).toBe('denied');
    expect(hint).toBeTruthy();
  });

  test.each([
    ['kubectl rollout restart deploy/x', /kubectl-rollout/],
    ['kubectl delete pod x', /person/],
    ['docker build .', /docker-build/],
    ['docker push localhost:5000/api:1', /docker-push/],
    ['docker buildx build -o type=local,dest=/ .', /docker-build/],
    ['docker run --privileged -v /:/host x', /mount/],
    ['rm -rf docker', /remove-files/],
    ['cat .env', /view/],
    ['sed -i s/a/b/ x', /str-replace-editor/],
    ['sh -c id', /no shell/],
    ['bash -c id', /no shell/],
    ['env kubectl', /no shell/],
    ['xargs rm', /no shell/],
    ['find . -exec rm', /file-search/],
    ['curl http://x', /web-fetch/],
    [
      'nonesuch x',
      /ansible-playbook, aws, curl, docker, gh, git, helm, journalctl, kubectl, npm, pnpm, shuttle, sqlx, systemctl, terraform/,
    ],
    ['kubctl get pods', /The nearest is kubectl\./],
    ['yarn list', /npm ls/],
    ['pnpm install', /CI does it/],
    ['ansible-playbook --check site.yml', /--list-tasks/],
    ['aws secretsmanager get-secret-value', /list-secrets/],
    ['shuttle deploy', /person/],
    ['sqlx migrate run', /person/],
    ['systemctl restart x', /person/],
    ['git comit', /nearest is git commit/],
    ['git status --shrt', /--short/],
    ['git', /status/],
  ])('%s says what to do instead', async (line, hint) => {
    expect((await refusal(() => classified(line))).hint).toMatch(hint);
  });

  test.each([
    'holdpoint approvals approve apr_1',
    'Holdpoint x',
    'holdpoint.js x',
    '/usr/bin/holdpoint x',
    './kubectl get pods',
    '/usr/bin/git status',
    'KUBECTL get pods',
    '__proto__ x',
    'constructor x',
  ])('%s is refused', async (line) => {
    expect((await refusal(() => classified(line))).code).toBe('denied');
  });

  test('holdpoint is refused even where a table lists it', async () => {
    const programs = { ...PROGRAMS, holdpoint: { ...PROGRAMS['git']!, program: 'holdpoint' } };
    const { hint } = await refusal(() => classify({ program: 'holdpoint', args: ['status'] }, { ...FACTS, programs }));
    expect(hint).toMatch(/person/);
  });

  test.each(['\u0000', '\u001b[2K', '\u202e', '\u200b', '\r'])('an argument with %j is refused', async (odd) => {
    expect((await refusal(() => classify({ program: 'git', args: ['log', '--grep', `a${odd}b`] }, FACTS))).code).toBe(
      'denied',
    );
  });
});

describe('what is passed on (C4)', () => {
  test('flags have one spelling and one meaning, wherever and however they are written', () => {
    const spellings = [
      'kubectl get pods -n shop -o wide',
      'kubectl -n shop get pods -owide',
      'kubectl get --namespace=shop -o=wide pods',
    ];
    const [first, ...rest] = spellings.map((line) => new Set(classified(line).argv));
    expect(first).toContain('--namespace=shop');
    for (const other of rest) expect(other).toEqual(first);
  });

  test('a flag twice, a switch with a value and a flag without one are refused', async () => {
    for (const line of ['kubectl get pods -n a --namespace b', 'git status --short=yes', 'kubectl get pods -n'])
      expect((await refusal(() => classified(line))).code).toBe('denied');
  });

  test('revisions name commits only, so that an abbreviated hash brings out no blob (C3)', () => {
    expect(classified('git show abc1').argv).toContain('abc1^{commit}');
    expect(classified('git diff main...HEAD~2').argv).toContain('main^{commit}...HEAD~2^{commit}');
    expect(classified('git show v1:docker/Dockerfile').argv).toContain('v1^{commit}:docker/Dockerfile');
  });

  test('no argument of the agent can become a flag of the program', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...TWINS.map(([line]) => line)),
        fc.string({ unit: 'binary', maxLength: 30 }),
        fc.nat(5),
        (line, odd, at) => {
          const [program = '', ...args] = line.split(' ');
          args.splice(at, 0, odd);
          let argv: string[];
          try {
            argv = classify({ program, args }, FACTS).argv;
          } catch (error) {
            expect(error).toBeInstanceOf(HoldpointError);
            return;
          }
          const grammar = PROGRAMS[program]!;
          const names = new Set(
            [...grammar.flags, ...grammar.commands.flatMap((each) => each.flags)].flatMap((flag) => flag.names),
          );
          const own = new Set([...grammar.prefix, ...grammar.commands.flatMap((each) => each.adds)]);
          const dashes = argv.includes('--') ? argv.indexOf('--') : argv.length;
          const dashed = argv.slice(0, dashes).filter((arg) => arg.startsWith('-') && !own.has(arg));
          for (const arg of dashed) expect(names).toContain(arg.split('=')[0]);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('targets (C4, I1)', () => {
  const at = (line: string) =>
    classified(line)
      .targets.filter(({ kind }) => kind === 'process')
      .map((target) => target.at);

  test('kubectl acts where its flags say, else where the kubeconfig does, and is pinned there', () => {
    expect(classified('kubectl get pods -n tta-staging').targets).toEqual([
      {
        kind: 'process',
        id: 'kubectl get pods -n tta-staging',
        command: 'kubectl get',
        effect: 'read',
        at: { kubeContext: 'kind-dev', cluster: 'kind', namespace: 'tta-staging' },
      },
    ]);
    expect(at('kubectl --context prod get pods')).toEqual([
      { kubeContext: 'prod', cluster: 'prod-eu', namespace: 'web' },
    ]);
    expect(classified('kubectl --context prod get pods').argv).toEqual(
      expect.arrayContaining(['--context=prod', '--namespace=web']),
    );
    expect(at('helm list')).toEqual([{ kubeContext: 'kind-dev', cluster: 'kind', namespace: 'default' }]);
    expect(classified('helm list').argv).toEqual(
      expect.arrayContaining(['--kube-context=kind-dev', '--namespace=default']),
    );
  });

  test('every namespace, and kinds that are not known, count as the strictest place too', () => {
    expect(at('kubectl get pods -A')).toContainEqual({});
    expect(at('kubectl get pods -n dev -A')).toContainEqual({});
    expect(at('kubectl get nodes')).toEqual([{ kubeContext: 'kind-dev', cluster: 'kind' }]);
    expect(at('kubectl get certificates -n prod')).toEqual([
      { kubeContext: 'kind-dev', cluster: 'kind', namespace: 'prod' },
      { kubeContext: 'kind-dev', cluster: 'kind' },
    ]);
  });

  test('scaling is a write, listing a read', () => {
    expect(classified('kubectl scale deploy/x --replicas=0 -n prod')).toMatchObject({
      effect: 'write',
      targets: [{ effect: 'write', at: { namespace: 'prod' } }],
    });
    expect(classified('kubectl get deploy -n prod').effect).toBe('read');
  });

  test('the other programs act here, on the Engine, or on the code host', () => {
    expect(at('git status')).toEqual([{ host: 'localhost' }]);
    expect(at('docker ps')).toEqual([{ dockerHost: 'local' }]);
    expect(at('gh run list -R o/r -b main')).toEqual([{ host: 'github.com', branch: 'main' }]);
    expect(at('helm template x kubernetes/chart')).toEqual([{ host: 'localhost' }]);
  });

  test('without a context nothing is guessed', async () => {
    const none = { ...FACTS, kubernetes: { contexts: {} } };
    expect((await refusal(() => classify({ program: 'kubectl', args: ['get', 'pods'] }, none))).code).toBe(
      'unavailable',
    );
    expect((await refusal(() => classified('kubectl get pods --context nope'))).code).toBe('not_found');
    expect((await refusal(() => classified('kubectl get pods --context __proto__'))).code).toBe('denied');
  });

  test.each([
    ['git show HEAD:.env', '.env'],
    ['git show HEAD:docker/../secrets/x', 'secrets/x'],
    ['git diff -- .env', '.env'],
    ['git add .env', '.env'],
    ['git blame -- secrets/x', 'secrets/x'],
    ['terraform fmt -check -diff secrets/x.tf', 'secrets/x.tf'],
    ['helm lint kubernetes/chart -f secrets/values.yaml', 'secrets/values.yaml'],
  ])('%s touches %s (C3)', (line, path) => {
    expect(classified(line).targets).toContainEqual({ kind: 'file', id: path, effect: 'read', path });
  });

  test('paths are from cwd, and stay in the workspace', async () => {
    expect(classified('git show HEAD:../.env', 'docker').targets).toContainEqual({
      kind: 'file',
      id: '.env',
      effect: 'read',
      path: '.env',
    });
    expect(classified('terraform fmt -check ../b/x.tf', 'a').argv.at(-1)).toBe('../b/x.tf'.replace(/^/, './'));
    for (const line of ['git add ../x', 'git add /etc/passwd', 'git show HEAD:~/x', 'git add a\\..\\b'])
      expect((await refusal(() => classified(line))).rule).toBe('paths');
    expect((await refusal(() => classified('git status', '../x'))).code).toBe('denied');
  });

  test('a path is what the program gets: decided on and passed on alike', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b.tf', '..', '.', 'x y', '[z]'), { minLength: 1, maxLength: 6 }),
        fc.constantFrom('.', 'a', 'a/b.tf'),
        (parts, cwd) => {
          const written = `${parts.join('/')}/m.tf`;
          let result;
          try {
            result = classify({ program: 'terraform', args: ['fmt', '-check', written], cwd }, FACTS);
          } catch (error) {
            expect(error).toBeInstanceOf(HoldpointError);
            return;
          }
          expect(workspacePath(`${cwd}/${result.argv.at(-1)}`)).toBe(result.paths[0]?.path);
        },
      ),
    );
  });
});
