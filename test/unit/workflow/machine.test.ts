import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';

import { loadDefinition, type Definition } from '../../../src/adapters/workflow/definition.ts';
import { apply, followersOf, nodeOf, type Move } from '../../../src/adapters/workflow/machine.ts';
import {
  faultsOf,
  firstState,
  readState,
  stateText,
  type WorkflowState,
} from '../../../src/adapters/workflow/state.ts';
import { WORKFLOW } from '../../../src/config/locations.ts';
import { HoldpointError } from '../../../src/core/errors.ts';

let definition: Definition;
let validates: (value: unknown) => boolean;
beforeAll(async () => {
  definition = await loadDefinition(WORKFLOW);
  const schema = join(import.meta.dirname, '../../../docs/workflow-state.schema.json');
  const ajv = new Ajv2020({ formats: { 'date-time': true } });
  validates = ajv.compile(JSON.parse(readFileSync(schema, 'utf8')) as object);
});

const WHO = { by: 'ann/pdlc-devops/tests', at: '2026-11-21T10:00:00.000Z' };
const HASH = 'a'.repeat(64);

describe('the shipped workflow (H2)', () => {
  test('has the ten nodes with exactly their inputs, outputs and ways on', () => {
    const table = definition.nodes.map(({ id, group, inputs, outputs, next, onFailure }) => [
      id,
      group,
      inputs.join(),
      outputs.join(),
      [...next, ...(onFailure ? [`${onFailure.decision}/${onFailure.to}`] : [])].join(),
    ]);
    expect(table).toEqual([
      [
        'Environment_Design',
        'Infrastructure-Planning',
        'INFRA01,INFRA02,INFRA03',
        'INFRA04,INFRA05,INFRA06',
        'Dev_Environment_Setup',
      ],
      ['Dev_Environment_Setup', 'Infrastructure-Setup', 'INFRA04', 'INFRA08,INFRA09', 'CI_Pipeline_Setup'],
      ['CI_Pipeline_Setup', 'Infrastructure-Setup', 'INFRA08,INFRA06', 'INFRA10,INFRA11', 'Staging_Environment_Setup'],
      ['Staging_Environment_Setup', 'Infrastructure-Setup', 'INFRA05', 'INFRA12,INFRA13', 'Build_Release'],
      ['Build_Release', 'Release', 'R04', 'R06,R07', 'Deploy_To_Staging'],
      ['Deploy_To_Staging', 'Release', 'R06,INFRA12', 'R08,R09', 'Deploy_To_Production'],
      ['Deploy_To_Production', 'Release', 'R12,INFRA06', 'R13,R14', 'Post_Deploy_Verification'],
      [
        'Post_Deploy_Verification',
        'Release',
        'R13,R14',
        'R15,R16',
        'Deployment_And_Continuous_Feedback,Rollback_Decision/Rollback_Deployment',
      ],
      ['Rollback_Deployment', 'Release', 'R17', 'R18', ''],
      ['Deployment_And_Continuous_Feedback', 'PDLC', 'D21', 'D22,D23', ''],
    ]);
    const others = [...definition.artifacts.values()].filter(({ from }) => from !== undefined).map(({ id }) => id);
    expect(others).toEqual(['INFRA01', 'INFRA02', 'INFRA03', 'R04', 'R12', 'R17', 'D21']);
  });

  test('has the file names of the persona document', () => {
    const seed = readFileSync(join(import.meta.dirname, 'artifact-names.txt'), 'utf8')
      .split('\n')
      .filter(Boolean);
    expect([...definition.artifacts.values()].map(({ file }) => file).toSorted()).toEqual(seed.toSorted());
  });
});

/** Any move of any node, with any of its artifacts. */
const someMove = (): fc.Arbitrary<Move> =>
  fc
    .record({
      did: fc.constantFrom('start' as const, 'complete' as const, 'route' as const, 'abandon' as const),
      node: fc.constantFrom(...definition.nodes.map(({ id }) => id)),
      all: fc.boolean(),
      some: fc.array(fc.constantFrom(...definition.artifacts.keys()), { maxLength: 3 }),
    })
    .map(({ did, node, all, some }): Move => {
      const given = all ? nodeOf(definition, node).outputs : some;
      const artifacts = Object.fromEntries(given.map((id) => [id, HASH]));
      if (did === 'complete') return { did, node, artifacts };
      if (did === 'abandon') return { did, node, reason: 'it is late' };
      return { did, node, decisions: {} };
    });

/** What a sequence of moves comes to; those that are refused change nothing. */
function walked(moves: readonly Move[]): WorkflowState {
  let state = firstState(definition);
  for (const move of moves) {
    const before = stateText(state);
    try {
      state = apply(state, definition, move, WHO);
    } catch (error) {
      expect(error).toBeInstanceOf(HoldpointError);
      expect(stateText(state)).toBe(before);
    }
  }
  return state;
}

/** As far as the first so many nodes, done in order. */
function upTo(count: number): Move[] {
  return definition.nodes
    .filter(({ id }) => id !== 'Rollback_Deployment')
    .slice(0, count)
    .flatMap(({ id: node, outputs }): Move[] => [
      { did: 'start', node, decisions: {} },
      { did: 'complete', node, artifacts: Object.fromEntries(outputs.map((id) => [id, HASH])) },
    ]);
}

describe('the state (H2)', () => {
  test('no sequence of moves makes a node done without its artifacts or before its time, and every state validates', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(9), fc.array(someMove(), { maxLength: 40 }), async (count, moves) => {
        const state = walked([...upTo(count), ...moves]);
        expect(faultsOf(state, definition)).toEqual([]);
        expect(validates(JSON.parse(stateText(state)))).toBe(true);
        expect(await readState(stateText(state), definition)).toEqual(state);
        for (const { id, outputs } of definition.nodes) {
          const node = state.nodes[id];
          if (node?.state !== 'done') continue;
          expect(Object.keys(node.artifacts ?? {})).toEqual(expect.arrayContaining([...outputs]));
        }
      }),
    );
  });

  test('a node that is done anew makes what comes after it wait', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(8), (count, which) => {
        const node = definition.nodes.filter(({ id }) => id !== 'Rollback_Deployment')[which % count]?.id ?? '';
        const state = walked([...upTo(count), { did: 'start', node, decisions: {} }]);
        expect(state.nodes[node]?.state).toBe('active');
        for (const each of followersOf(node, definition)) expect(state.nodes[each]?.state).toBe('pending');
      }),
    );
  });

  test('a route leads to the rollback and nowhere else', () => {
    const moves: Move[] = [
      ...upTo(7),
      { did: 'start', node: 'Post_Deploy_Verification', decisions: {} },
      { did: 'route', node: 'Post_Deploy_Verification', decisions: { R17: HASH } },
    ];
    const { nodes } = walked(moves);
    expect(nodes['Post_Deploy_Verification']?.state).toBe('routed');
    expect(nodes['Rollback_Deployment']?.state).toBe('ready');
    expect(nodes['Deployment_And_Continuous_Feedback']?.state).toBe('pending');
    expect(() =>
      apply(walked(upTo(4)), definition, { did: 'route', node: 'Environment_Design', decisions: {} }, WHO),
    ).toThrow('has no route on failure');
  });

  test('the history keeps its last 500 entries', () => {
    const moves = Array.from({ length: 300 }, (): Move[] => [
      { did: 'start', node: 'Environment_Design', decisions: {} },
      { did: 'abandon', node: 'Environment_Design', reason: 'again' },
    ]).flat();
    const state = walked(moves);
    expect(state.history).toHaveLength(500);
    expect(validates(state)).toBe(true);
  });

  test.each<[string, (state: WorkflowState) => unknown, RegExp]>([
    [
      'a node done before its time',
      (state) => ({ ...state, nodes: { ...state.nodes, Build_Release: { state: 'active' } } }),
      /line \d+: Build_Release is active, and what comes before it is not done/,
    ],
    [
      'a node there is not',
      (state) => ({ ...state, nodes: { ...state.nodes, Coffee: { state: 'done' } } }),
      /line \d+: the workflow has no node Coffee/,
    ],
    [
      'a state there is not',
      (state) => ({ ...state, nodes: { ...state.nodes, Build_Release: { state: 'skipped' } } }),
      /line \d+: nodes\.Build_Release\.state/,
    ],
    [
      'a hash that is none',
      (state) => ({
        ...state,
        nodes: { ...state.nodes, Build_Release: { state: 'pending', artifacts: { R06: 'x' } } },
      }),
      /line \d+: nodes\.Build_Release\.artifacts\.R06: write a SHA-256/,
    ],
    ['a key there is not', (state) => ({ ...state, approved: true }), /Unrecognized key: "approved"/],
    ['no version', ({ version: _version, ...state }) => state, /version/],
  ])('%s is refused with its line', async (_what, change, says) => {
    const text = JSON.stringify(change(firstState(definition)), null, 2);
    await expect(readState(text, definition)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(says) as string,
    });
  });

  test('hostile files are refused in words', async () => {
    for (const text of [
      '['.repeat(500_000),
      `{"version":1,"nodes":{${Array.from({ length: 20_000 }, (_, at) => `"${at}":1`).join()}}}`,
    ])
      await expect(readState(text, definition)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('any bytes are a state or are refused in words', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        await expect(readState(text, definition)).rejects.toBeInstanceOf(HoldpointError);
      }),
    );
  });
});
