import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { POLICIES } from '../../../src/config/locations.ts';
import type { Target } from '../../../src/core/target.ts';
import { checkedPolicy, loadPolicy, preparePolicy, type PreparedPolicy } from '../../../src/policy/load.ts';
import { answer, file, folder, workload } from './policies.ts';
import { access, CLOSED, load, options, READ_ONLY, READ_WRITE, SHIPPED } from './shipped-policies.ts';

const [tta, devops] = await Promise.all([load('tta-devops-engineer'), load('devops')]);
const both = [tta, devops];

describe('a policy prepared by the build', () => {
  it.each(SHIPPED)('%s is the policy that reading its file gives, for exactly these bytes', async (name) => {
    const text = await readFile(join(POLICIES, `${name}.yaml`), 'utf8');
    const sha256 = createHash('sha256').update(text).digest('hex');
    const ready = JSON.parse(JSON.stringify(preparePolicy(text, name, options))) as PreparedPolicy;
    const read = await load(name);
    const quick = await loadPolicy(read.file, { ...options, prepared: { [sha256]: ready } });
    expect(JSON.stringify(quick)).toBe(JSON.stringify(read));
    // Were it taken for other bytes, this one would load.
    const other = { [sha256.replace(/./, (digit) => (digit === '0' ? '1' : '0'))]: { entry: 'broken', lines: {} } };
    expect(JSON.stringify(await loadPolicy(read.file, { ...options, prepared: other }))).toBe(JSON.stringify(read));
  });

  it('a policy that is not valid is not prepared', () => {
    expect(() => preparePolicy('version: 1\nname: x\nrules: []\n', 'x.yaml', options)).toThrow(
      /write at least one rule/,
    );
  });
});

describe('B3 every glob of S1 and S0', () => {
  it.each([
    ['S1:49', '.github/workflows/ci-cd.yml', READ_WRITE],
    ['S1:49', '.github/workflows/nested/a.yml', READ_WRITE],
    ['S1:50', '.github/workflows/deploy.yaml', READ_WRITE],
    ['S1:49', '.github/workflows/notes.md', CLOSED],
    ['S1:51', 'docker/Dockerfile', READ_WRITE],
    ['S1:51', 'docker/a/b/anything.conf', READ_WRITE],
    ['S1:52', 'kubernetes/deployment.yaml', READ_WRITE],
    ['S1:53', 'kubernetes/overlays/prod/service.yml', READ_WRITE],
    ['S1:54', 'scripts/deploy/deploy.sh', READ_WRITE],
    ['S1:54', 'scripts/deploy/a/rollback.sh', READ_WRITE],
    ['S1:54', 'scripts/deploy/deploy.py', CLOSED],
    ['S1:54', 'scripts/other.sh', CLOSED],
    ['S1:55', 'docker-compose.yml', READ_WRITE],
    ['S1:56', 'Dockerfile', READ_WRITE],
    ['S1:57', '.dockerignore', READ_WRITE],
    ['S1:60', 'src/orchestration/graph.py', READ_ONLY],
    ['S1:61', 'pyproject.toml', READ_ONLY],
    ['S1:62', 'package.json', READ_ONLY],
    ['S1:44', '.github/instructions/python-quality-standards.instructions.md', READ_ONLY],
    ['S1:65', '.env', CLOSED],
    ['S1:65', 'docker/.env.production', CLOSED],
    ['S1:66', 'secrets/token', CLOSED],
    ['S1:66', 'docker/secrets/token', CLOSED],
    ['S1:67', 'src/therapeutic_safety/rules.py', CLOSED],
    ['S1:68', 'src/api_gateway/main.py', CLOSED],
    ['S1:69', 'src/player_experience/session.py', CLOSED],
    ['S1:11 S0:7', 'packages/core/src/engine/run.py', CLOSED],
    ['S1:11 S0:7', 'packages/src/run.py', CLOSED],
    ['S1:12 S0:8', 'packages/web/frontend/src/App.tsx', CLOSED],
    ['S1:12 S0:8', 'packages/frontend/package.json', CLOSED],
  ] as const)('%s %s: %j', (_seed, path, expected) => {
    for (const policy of both) expect(access(policy, path), policy.name).toEqual(expected);
  });

  it.each([
    'kubernetes/README.md',
    'Dockerfile.dev',
    'docker-compose.prod.yml',
    'k8s/deployment.yaml',
    'terraform/main.tf',
    'Jenkinsfile',
    'src/orchestration/prompts.md',
    'GEMINI.md',
    'README.md',
  ])('S1:46 nothing beyond the globs: %s', (path) => expect(access(tta, path)).toEqual(CLOSED));

  it.each([
    ['S2:318', 'services/api/Dockerfile'],
    ['S2:321', 'docker-compose.test.yml'],
    ['S2:322', 'docker-compose.prod.yml'],
    ['S2:327', '.gitlab-ci.yml'],
    ['S2:328', 'Jenkinsfile'],
    ['S2:331', 'k8s/deployment.yaml'],
    ['S2:334', 'k8s/secrets.yaml'],
    ['S2:339', 'cloudformation/infrastructure.yaml'],
    ['S2:340', 'terraform/main.tf'],
    ['S2:341', 'ecs-task-definition.json'],
    ['S2:342', 'ecs-service.json'],
    ['S2:345', 'docs/DEPLOYMENT.md'],
    ['S2:346', 'docs/INFRASTRUCTURE.md'],
    ['S2:347', 'docs/ROLLBACK.md'],
    ['S2:348', 'docs/MONITORING.md'],
    ['S2:349', 'docs/TROUBLESHOOTING.md'],
    ['S2:42', 'ansible/playbooks/site.yml'],
    ['S0:51', 'helm/api/values.yaml'],
    ['S0:51', 'charts/api/templates/deployment.yaml'],
  ])('%s devops has it: %s', (_seed, path) => expect(access(devops, path)).toEqual(READ_WRITE));
});

describe('C3 S1:107 what no rule opens', () => {
  it.each([
    '.env.local',
    'docker/.ENV',
    'docker/app.env',
    'docker/Secrets/x',
    'docker/Secrets.toml',
    'Secrets.dev.toml',
    'docker/tls/server.key',
    'docker/tls/server.pem',
    'docker/tls/server.key.bak',
    'docker/store.p12',
    'docker/id_rsa',
    'docker/id_ed25519',
    'docker/kubeconfig',
    'docker/kubeconfig.yaml',
    'kubernetes/prod.kubeconfig.yml',
    'docker/.kube/config',
    'docker/.aws/credentials',
    'terraform/terraform.tfstate',
    'terraform/terraform.tfstate.backup',
    'docker/plan.tfplan',
    'docker/.npmrc',
    'docker/dump.rdb',
    'docker/seed/patients.csv',
    'docker/patient-data/a.yml',
    'docker/.git/config',
  ])('%s', (path) => {
    for (const policy of both) {
      expect(access(policy, path), policy.name).toEqual(CLOSED);
      expect(answer(policy, 'docker-build', file(path, 'read')).verdict, policy.name).toBe('deny');
      expect(answer(policy, 'launch-process', file(path, 'read')).verdict, policy.name).toBe('deny');
    }
  });

  it.each(['secrets', 'a/secrets', '.git', 'docker/.aws', 'src/api_gateway'])('nor are the names in %s', (path) => {
    for (const policy of both) expect(answer(policy, 'view', folder(path)).verdict, policy.name).toBe('deny');
  });

  it('names elsewhere may be looked at', () => {
    for (const policy of both)
      for (const path of ['.', 'docker', 'src', 'no/such'])
        expect(answer(policy, 'view', folder(path)).verdict).toBe('allow');
  });

  it('what steers agents is not theirs to write', () => {
    for (const policy of both)
      for (const path of [
        '.git/hooks/pre-push',
        'docker/.claude/settings.json',
        '.mcp.json',
        'kubernetes/holdpoint.yaml',
      ])
        expect(answer(policy, 'save-file', file(path, 'write')).verdict, path).toBe('deny');
  });
});

describe('B4 refusals say whom to hand the work to', () => {
  it.each([
    ['S1:99 S0:83', 'src/orchestration/graph.py', 'write', 'backend-dev'],
    ['S0:154', 'src/dashboard/App.tsx', 'write', 'frontend-dev'],
    ['S0:84', 'tests/test_graph.py', 'write', 'qa-engineer'],
    ['S0:84', 'src/orchestration/test_graph.py', 'write', 'qa-engineer'],
    ['S1:11', 'packages/core/src/a.py', 'read', 'backend-dev'],
    ['S1:12', 'packages/web/frontend/a.ts', 'read', 'frontend-dev'],
  ] as const)('%s %s %s: %s', (_seed, path, effect, handOff) => {
    for (const policy of both)
      expect(answer(policy, 'str-replace-editor', file(path, effect)), policy.name).toMatchObject({
        verdict: 'deny',
        handOff,
      });
  });
});

const image = (dockerHost: string): Target => ({ kind: 'image', id: 'api:1.2', effect: 'write', at: { dockerHost } });
const process = (command: string, effect: Target['effect'], at: NonNullable<Target['at']>): Target => ({
  kind: 'process',
  id: command,
  command,
  effect,
  at,
});

describe('C4 I1 the rows of S1 about tools and environments', () => {
  it.each([
    ['S1:86 C4', 'launch-process', process('git status', 'read', { host: 'localhost' }), 'allow'],
    ['S1:86 C4', 'launch-process', process('docker ps', 'read', { dockerHost: 'local' }), 'allow'],
    ['S1:86 C4', 'launch-process', process('kubectl get', 'read', { kubeContext: 'kind-dev' }), 'allow'],
    [
      'S1:91 C4',
      'launch-process',
      process('kubectl get', 'read', { kubeContext: 'prod-eu', namespace: 'default' }),
      'require_approval',
    ],
    [
      'S1:91 C4',
      'launch-process',
      process('kubectl rollout restart', 'write', { kubeContext: 'prod-eu' }),
      'require_approval',
    ],
    ['S1:91 C4', 'launch-process', process('docker ps', 'read', { dockerHost: 'build.example' }), 'require_approval'],
    ['S1:91 C4', 'launch-process', process('kubectl get', 'read', {}), 'require_approval'],
    ['reading E1', 'launch-process', process('gh run view', 'read', { host: 'github.com' }), 'allow'],
    [
      'S1:91 I1',
      'launch-process',
      process('gh workflow run', 'write', { host: 'github.com', workflow: 'deploy-production.yml' }),
      'require_approval',
    ],
    [
      'S1:91 I1',
      'launch-process',
      process('gh workflow run', 'write', { host: 'github.com', workflow: 'other.yml' }),
      'require_approval',
    ],
    ['S1:107', 'launch-process', process('redis-cli', 'read', { kubeContext: 'prod-eu' }), 'deny'],
    [
      'S1:298 I1',
      'kubectl-rollout',
      workload({ kubeContext: 'prod-eu', cluster: 'prod-eu', namespace: 'api' }),
      'require_approval',
    ],
    ['S1:298 I1', 'kubectl-rollout', workload({ kubeContext: 'unheard-of', namespace: 'default' }), 'require_approval'],
    ['reading D2', 'kubectl-get', workload({ kubeContext: 'prod-eu' }, 'read'), 'allow'],
    ['reading F1', 'grafana-query', { kind: 'metric', id: 'up', effect: 'read' } satisfies Target, 'allow'],
    ['S0:68 D1', 'docker-build', image('local'), 'allow'],
    ['S0:68 D1', 'docker-build', image('build.example'), 'require_approval'],
    ['C2', 'kubectl-rollout', workload({ kubeContext: 'kind-dev' }, 'destroy'), 'require_approval'],
    ['S1:100 C7', 'browser_click_Playwright', process('x', 'read', { host: 'localhost' }), 'deny'],
    ['S1:101 C7', 'browser_type_Playwright', process('x', 'write', { host: 'localhost' }), 'deny'],
    [
      'S1:93 E2',
      'github-api',
      {
        kind: 'repository',
        id: 'acme/shop',
        resource: 'merge',
        effect: 'write',
        at: { branch: 'develop' },
      } satisfies Target,
      // Without a review and green checks the tool itself refuses; this is what is left to the policy.
      'require_approval',
    ],
  ] as const)('%s %s %o: %s', (_seed, tool, target, verdict) => {
    for (const policy of both) expect(answer(policy, tool, target).verdict, policy.name).toBe(verdict);
  });

  it.each([
    [tta, 'tta-prod', 'require_approval'],
    [tta, 'tta-staging', 'allow'],
    [tta, 'tta-dev', 'allow'],
    [tta, 'default', 'require_approval'],
    [devops, 'shop-prod', 'require_approval'],
    [devops, 'production', 'require_approval'],
    [devops, 'shop-staging', 'allow'],
    [devops, 'dev', 'allow'],
    [devops, 'default', 'require_approval'],
  ] as const)('S0:332 a rollout by $name in %s: %s', (policy, namespace, verdict) => {
    expect(answer(policy, 'kubectl-rollout', workload({ kubeContext: 'live', namespace })).verdict).toBe(verdict);
  });

  it.each([
    'kind-x',
    'k3d-x',
    'minikube',
    'docker-desktop',
    'orbstack',
    'rancher-desktop',
    'colima',
    'colima-x',
    'microk8s',
  ])('the local cluster %s is development, but for what is named production in it', (kubeContext) => {
    for (const policy of both) {
      expect(
        answer(policy, 'kubectl-rollout', workload({ kubeContext, namespace: 'default' })),
        policy.name,
      ).toMatchObject({ verdict: 'allow', environment: 'development' });
      expect(
        answer(policy, 'kubectl-rollout', workload({ kubeContext, namespace: 'tta-prod' })).verdict,
        policy.name,
      ).toBe('require_approval');
    }
  });

  it('production waits an hour for one person outside the channel, and half an hour to run; deletions a day and an hour', () => {
    for (const policy of both) {
      expect(answer(policy, 'kubectl-rollout', workload({ kubeContext: 'prod' }))).toMatchObject({
        handOff: 'architect',
        terms: {
          approvals: 1,
          approveWithin: 3_600_000,
          runWithin: 1_800_000,
          channel: 'out-of-band',
          checklists: ['production-deployment'],
        },
      });
      expect(answer(policy, 'remove-files', file('docker/a', 'destroy')).terms).toMatchObject({
        approvals: 1,
        approveWithin: 86_400_000,
        runWithin: 3_600_000,
      });
    }
  });

  it('tta.dev is production and staging.tta.dev is not', () => {
    const at = (host: string) => answer(tta, 'launch-process', process('x', 'write', { host })).environment;
    expect([at('tta.dev'), at('staging.tta.dev'), at('x.tta.dev')]).toEqual(['production', 'staging', 'production']);
  });
});

describe('I7 every rule shipped', () => {
  it('has an example that it decides or takes part in, and all of them come out as expected', () => {
    for (const policy of both) expect(policy.rules.every(({ examples }) => examples.length > 0)).toBe(true);
    expect(tta.rules.length).toBeGreaterThan(15);
    expect(devops.rules.map(({ id }) => id)).toEqual(tta.rules.map(({ id }) => id));
  });

  it('and the policy that docs/policy.md shows is valid', async () => {
    const page = await readFile(join(POLICIES, '../docs/policy.md'), 'utf8');
    const shown = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(checkedPolicy(shown, 'docs/policy.md', options).name).toBe('shop');
  });
});
