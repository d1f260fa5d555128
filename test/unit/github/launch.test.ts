import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { launchTargets, localCalls, readWorkflow, traceLaunch } from '../../../src/adapters/github/port.ts';
import type { Launch } from '../../../src/adapters/github/port.ts';

const base = { branch: 'feature/x', workflow: 'deploy' };

interface Case {
  on?: string;
  job?: string;
  launch?: Partial<Launch>;
}

const launched = ({ launch = {} }: Case): Launch => ({
  path: '.github/workflows/deploy.yml',
  event: 'workflow_dispatch',
  ref: 'feature/x',
  refType: 'branch',
  repository: 'acme/shop',
  ...launch,
});
const workflowOf = ({ on = 'workflow_dispatch', job = '' }: Case) =>
  readWorkflow(`on: ${on}\njobs:\n  a:\n    runs-on: x\n${job.replaceAll(/^(?=.)/gm, '    ')}`);
/** What the environment would be told by, beside the base; `?` for what is not known and counts as production. */
const places = (given: Case) =>
  launchTargets(workflowOf(given), launched(given))
    .slice(1)
    .map(({ at }) => (Object.keys(at ?? {}).length === 0 ? '?' : at));
const inputs = (declared: string) => `\n  workflow_dispatch:\n    inputs: { ${declared} }`;
const environment = (given: Case) => places(given).map((at) => (at === '?' || !at ? at : at.githubEnvironment));

describe('I1 a launch touches', () => {
  test('its branch with the workflow’s name, as a write', () => {
    expect(launchTargets(workflowOf({}), launched({}))).toEqual([
      { kind: 'workflow', id: 'deploy at feature/x of acme/shop', effect: 'write', at: base },
    ]);
  });

  test('the environments of its jobs, each by itself', () => {
    expect(places({ job: 'environment: production' })).toEqual([{ githubEnvironment: 'production' }]);
    expect(places({ job: 'environment: { name: staging-eu, url: x }' })).toEqual([{ githubEnvironment: 'staging-eu' }]);
    expect(places({ job: 'environment: { url: x }' })).toEqual(['?']);
    expect(places({ job: 'environment: [a]' })).toEqual(['?']);
  });

  test.each([
    ['${{ inputs.where }}', { where: 'dev' }, ['dev']],
    ["${{ inputs['where'] }}", { where: 'dev' }, ['dev']],
    ['${{ github.event.inputs.WHERE }}', { Where: 'dev' }, ['dev']],
    ['${{ inputs.where }}', {}, ['staging']],
    ['eu-${{ inputs.where }}', { where: 'dev' }, ['eu-dev']],
    ['${{ github.ref_name }}', {}, ['feature/x', 'staging']],
    ["${{ inputs.other || 'prod' }}", {}, ['prod', 'staging']],
    ["${{ github.ref == 'refs/heads/main' && 'production' || 'dev' }}", {}, ['dev', 'staging']],
    ["${{ github.ref != 'refs/heads/main' && 'production' || 'dev' }}", {}, ['production', 'staging']],
    ["${{ (github.event_name == 'push') && 'dev' || !inputs.other && 'eu' }}", {}, ['eu', 'staging']],
    ['${{ vars.STAGING }}', {}, ['?', 'staging']],
    ['${{ secrets.x }}', {}, ['?', 'staging']],
    ["${{ format('{0}', inputs.where) }}", {}, ['?', 'staging']],
    ['${{ env.dev }}', {}, ['?', 'staging']],
    ['${{ inputs.where', {}, ['?', 'staging']],
    ['${{ inputs.where == 1 && 1 || 2 }}', {}, ['?', 'staging']],
    ["${{ 'dev' }", {}, ['?', 'staging']],
  ])('environment: %s with %o', (expression, given, expected) => {
    const found = environment({
      on: inputs('where: { default: staging }'),
      job: `environment: "${expression}"`,
      launch: { inputs: given },
    });
    for (const each of expected) expect(found).toContain(each);
    // Beside them only what the input itself names.
    const known = new Set([...expected, ...Object.values(given)]);
    expect(found.filter((each) => typeof each === 'string' && !known.has(each))).toEqual([]);
  });

  test('an expression that cannot be resolved has nothing that a pattern of a policy could match', () => {
    const [, target] = launchTargets(workflowOf({ job: 'environment: ${{ vars.staging }}' }), launched({}));
    expect(target).toMatchObject({ at: {}, id: expect.stringContaining('vars.staging') });
  });

  test('an environment from the matrix: its literal values, all of them; computed ones are not known', () => {
    const matrix = (text: string) =>
      environment({ job: `strategy: { matrix: ${text} }\nenvironment: \${{ matrix.env }}` });
    expect(matrix('{ env: [dev, production], os: [a] }')).toEqual(['dev', 'production']);
    expect(matrix('{ env: [dev], include: [{ env: production }, { os: b }] }')).toEqual(['dev', 'production']);
    expect(matrix('{ env: "${{ fromJSON(\'[]\') }}" }')).toEqual(['?']);
    expect(matrix('"${{ fromJSON(inputs.x) }}"')).toEqual(['?']);
    expect(matrix('{ env: [dev, "${{ inputs.where }}"] }')).toEqual(['?']);
    expect(matrix('{ env: [{ name: dev }] }')).toEqual(['?']);
    expect(matrix('{ os: [dev] }')).toEqual(['?']);
    const many = Array.from({ length: 20 }, (_, at) => at).join(', ');
    expect(
      environment({
        job: `strategy: { matrix: { a: [${many}], b: [${many}] } }\nenvironment: \${{ matrix.a }}-\${{ matrix.b }}`,
      }),
    ).toEqual(['?']);
  });

  test('every text among its inputs, with the base so that a harmless one changes nothing', () => {
    expect(places({ on: inputs('version: {}'), launch: { inputs: { version: '1.2' } } })).toEqual([
      { ...base, githubEnvironment: '1.2' },
    ]);
    expect(places({ on: inputs('n: { type: number, default: 3 }, b: { type: boolean, default: false }') })).toEqual([]);
  });

  test.each([
    ['environment', 'githubEnvironment'],
    ['deploy_stage', 'githubEnvironment'],
    ['TARGET', 'githubEnvironment'],
    ['kube_namespace', 'namespace'],
    ['cluster-name', 'cluster'],
    ['context', 'kubeContext'],
  ])('an input called %s tells a %s by itself', (name, selector) => {
    expect(places({ on: inputs(`${name}: {}`), launch: { inputs: { [name]: 'blue' } } })).toEqual([
      { ...base, githubEnvironment: 'blue' },
      { [selector]: 'blue' },
    ]);
  });

  test('an input of the type environment, whatever its name, and its default', () => {
    expect(places({ on: inputs('x: { type: environment, default: prod }') })).toContainEqual({
      githubEnvironment: 'prod',
    });
  });

  test('a switch that is on says its name', () => {
    const found = places({ on: inputs('deploy_to_production: { type: boolean, default: true }') });
    expect(found).toContainEqual({ ...base, githubEnvironment: 'production' });
  });

  test.each(['yes', 'On', '1', 'TRUE', 'enabled'])('a switch written %s says its name too', (value) => {
    const found = places({
      on: inputs('deploy_to_production: {}'),
      launch: { inputs: { deploy_to_production: value } },
    });
    expect(found).toContainEqual({ ...base, githubEnvironment: 'production' });
    expect(found).toContainEqual({ ...base, githubEnvironment: value });
  });

  test('a switch’s name in camel case is its words', () => {
    const found = places({ on: inputs('deployToProd: { type: boolean, default: true }') });
    expect(found).toContainEqual({ ...base, githubEnvironment: 'Prod' });
  });

  test('a number that switches says its name; one that tells an environment counts by itself as before', () => {
    const on = inputs('production: { type: number }, stage: {}');
    const found = places({ on, launch: { inputs: { production: '1', stage: 'on' } } });
    expect(found).toContainEqual({ ...base, githubEnvironment: 'production' });
    expect(found).toContainEqual({ githubEnvironment: 'on' });
  });

  test('a switch that nobody knows may be on: a re-run of a run that somebody else started', () => {
    const on = inputs('production: { type: boolean }, version: {}');
    expect(places({ on, launch: { inputs: 'unknown' } })).toEqual([{ ...base, githubEnvironment: 'production' }]);
  });

  test('values that are not known: of inputs that tell an environment they count, and in expressions', () => {
    const on = inputs('environment: {}, version: {}');
    expect(places({ on, launch: { inputs: 'unknown' } })).toEqual(['?']);
    expect(places({ on, job: 'environment: ${{ inputs.version }}', launch: { inputs: 'unknown' } })).toEqual([
      '?',
      '?',
    ]);
  });

  test('a push has no inputs', () => {
    const given = { on: inputs('where: { default: dev }'), job: "environment: ${{ inputs.where || 'production' }}" };
    expect(places({ ...given, launch: { event: 'push' } })).toEqual([{ githubEnvironment: 'production' }]);
  });

  test('of a pull request the ref is none of its branches', () => {
    expect(places({ job: 'environment: ${{ github.ref_name }}', launch: { event: 'pull_request' } })).toEqual(['?']);
  });

  test('a reusable workflow of elsewhere is not known', () => {
    expect(places({ job: 'uses: acme/flows/.github/workflows/x.yml@v1' })).toEqual(['?']);
    expect(places({ job: 'uses: ./../evil.yml' })).toEqual(['?']);
    expect(places({ job: 'uses: ./.github/workflows/x.yml' })).toEqual([]);
  });

  test('whatever the inputs are, there are targets, all of them writes', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.string()), (given) => {
        const targets = launchTargets(undefined, launched({ launch: { inputs: given } }));
        expect(targets[0]?.at).toEqual(base);
        expect(targets.every(({ effect, kind }) => effect === 'write' && kind === 'workflow')).toBe(true);
      }),
    );
  });
});

describe('I1 local reusable workflows', () => {
  const caller = `
on: { workflow_dispatch: { inputs: { env: { default: dev } } } }
jobs:
  a: { uses: ./.github/workflows/called.yml, with: { where: "\${{ inputs.env }}", what: "\${{ needs.b.outputs.c }}" } }
`;
  const called = `
on: { workflow_call: { inputs: { where: { type: string }, what: { type: string }, tier: { type: string, default: blue } } } }
jobs: { a: { environment: "\${{ inputs.where }}" }, b: { environment: "\${{ github.event.inputs.env }}-2" } }
`;
  const files = (more: Record<string, string> = {}) => {
    const all: Record<string, string> = {
      '.github/workflows/deploy.yml': caller,
      '.github/workflows/called.yml': called,
      ...more,
    };
    return async (path: string) => all[path] ?? null;
  };

  test('are launches of their own, with what they are given', () => {
    const [call] = localCalls(readWorkflow(caller), launched({ launch: { inputs: { env: 'production' } } }));
    expect(call).toMatchObject({
      path: '.github/workflows/called.yml',
      inputs: { where: 'production', what: null },
    });
  });

  test('are followed: their names, their environments, their defaults', async () => {
    const trace = await traceLaunch(launched({ launch: { inputs: { env: 'production' } } }), files());
    const at = trace.targets.map((target) => target.at);
    expect(at).toContainEqual({ branch: 'feature/x', workflow: 'called' });
    expect(at).toContainEqual({ githubEnvironment: 'production' });
    expect(at).toContainEqual({ githubEnvironment: 'production-2' });
    expect(at).toContainEqual({ githubEnvironment: 'blue' });
    expect(trace.files.map(({ path }) => path)).toEqual([
      '.github/workflows/deploy.yml',
      '.github/workflows/called.yml',
    ]);
  });

  test('one that is not there is not known, and one that calls itself ends', async () => {
    const missing = await traceLaunch(launched({}), async (path) => (path.endsWith('deploy.yml') ? caller : null));
    expect(missing.targets).toContainEqual(expect.objectContaining({ at: {} }));
    const circle = 'on: workflow_call\njobs: { a: { uses: ./.github/workflows/called.yml } }';
    const trace = await traceLaunch(launched({}), files({ '.github/workflows/called.yml': circle }));
    expect(trace.targets).toContainEqual(expect.objectContaining({ at: {} }));
    expect(trace.files).toHaveLength(2);
  });

  test('one that calls itself many times ends too', async () => {
    const one = 'uses: ./.github/workflows/called.yml';
    const tree = `on: workflow_call\njobs: { a: { ${one} }, b: { ${one} }, c: { ${one} } }`;
    const trace = await traceLaunch(launched({}), files({ '.github/workflows/called.yml': tree }));
    expect(trace.targets.length).toBeLessThan(10);
    expect(trace.targets).toContainEqual(expect.objectContaining({ at: {} }));
  });
});
