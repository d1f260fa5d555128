import { describe, expect, it } from 'vitest';

import { checkedPolicy, compilePolicy } from '../../../src/policy/load.ts';
import type { Beside } from '../../../src/policy/beside.ts';
import { decide } from '../../../src/policy/decide.ts';
import { factsFor } from '../../../src/policy/examples.ts';
import { explain } from '../../../src/policy/explain.ts';
import type { AnyTool } from '../../../src/core/tool.ts';
import { policyOf, refusal, someone, workload } from './policies.ts';
import { standIns } from './stand-in-tools.ts';

const ENVIRONMENTS = { production: { namespaces: ['prod*'] }, staging: { namespaces: ['staging*'] } };
const operate = { id: 'operate', decision: 'allow', when: { kind: 'workload' } };
const held = { id: 'held', decision: 'require_approval', when: { environment: 'production', effect: 'write' } };
const freeze = {
  id: 'year-end',
  when: { environment: 'production', effect: ['write', 'destroy'] },
  from: '12-18',
  to: '01-04',
  timeZone: 'Europe/Berlin',
  reason: 'Nobody is there to look after it.',
};
const at = (text: string) => Date.parse(text);
const call = (namespace: string, effect: 'read' | 'write' = 'write') => ({
  principal: someone,
  tool: 'kubectl-rollout',
  targets: [workload({ namespace }, effect)],
});

/** A whole policy as text, with what is to be tried in it. */
const text = (more: object, approval?: object) =>
  JSON.stringify({
    version: 1,
    name: 'sample',
    environments: ENVIRONMENTS,
    ...more,
    rules: [operate, held].map((rule) => ({
      ...rule,
      reason: 'A whole sentence about it.',
      ...(rule.id === 'held' && approval && { approval }),
      examples: [
        {
          tool: 'kubectl-rollout',
          targets: [workload({ namespace: 'prod' })],
          expect: 'require_approval',
        },
      ],
    })),
  });

describe('I3 a freeze', () => {
  const policy = policyOf([operate, held], ENVIRONMENTS, { freezes: [freeze] });

  it.each([
    ['2026-12-17T22:59Z', 'prod', 'write', 'require_approval'],
    ['2026-12-17T23:00Z', 'prod', 'write', 'deny'],
    ['2027-01-04T22:59Z', 'prod', 'write', 'deny'],
    ['2027-01-04T23:00Z', 'prod', 'write', 'require_approval'],
    ['2026-12-24T12:00Z', 'prod', 'read', 'allow'],
    ['2026-12-24T12:00Z', 'staging', 'write', 'allow'],
  ] as const)('at %s, %s, %s: %s', (now, namespace, effect, verdict) => {
    expect(decide(policy, call(namespace, effect), at(now)).verdict).toBe(verdict);
  });

  it('says which it is, until when, and why', () => {
    expect(decide(policy, call('prod'), at('2026-12-24T12:00Z'))).toMatchObject({
      verdict: 'deny',
      rules: ['year-end'],
      reason: 'Frozen until 2027-01-05 00:00 Europe/Berlin: Nobody is there to look after it.',
    });
  });

  it('of two at once the later end is told', () => {
    const move = { ...freeze, id: 'move', from: '2026-12-20', to: '2027-01-10', reason: 'The data centre moves.' };
    const both = policyOf([operate, held], ENVIRONMENTS, { freezes: [freeze, move] });
    expect(decide(both, call('prod'), at('2026-12-24T12:00Z'))).toMatchObject({
      rules: ['move', 'year-end'],
      reason: expect.stringContaining('2027-01-11 00:00'),
    });
  });

  it('goes with what is held for the same targets, whenever it is, so that the claim can look again', () => {
    expect(decide(policy, call('prod'), at('2026-06-01T00:00Z')).terms?.freezes).toEqual([
      { id: 'year-end', reason: freeze.reason, timeZone: 'Europe/Berlin', from: '12-18 00:00', to: '01-05 00:00' },
    ]);
  });

  it('is no part of what the rules say on another day: examples come out at any time of the year', () => {
    expect(decide(policy, call('prod'), undefined).verdict).toBe('require_approval');
    const always = { ...freeze, from: '01-01', to: '12-30' };
    expect(() => checkedPolicy(text({ freezes: [always] }), 'sample.yaml', standIns)).not.toThrow();
  });
});

describe('I3 policy explain', () => {
  const policy = policyOf(
    [operate, { ...held, approval: { window: 'noon', checklist: 'go', breakGlass: '15m' } }],
    ENVIRONMENTS,
    {
      windows: { noon: { timeZone: 'UTC', from: '12:00', to: '13:00' } },
      freezes: [freeze],
    },
  );
  const when = (now: string) =>
    explain(
      policy,
      {
        tool: standIns.tools('kubectl-rollout') as AnyTool,
        input: { name: 'api', namespace: 'prod' },
        principal: someone,
        facts: factsFor({}, {}),
      },
      at(now),
    ).when;
  const always = [
    'checklist go: 1 items before it runs, 0 of them looked at',
    'freeze year-end: from 12-18 00:00 to 01-05 00:00 Europe/Berlin',
    'break-glass: one person alone, to run within 15 min',
  ];

  it.each([
    ['2026-06-01T12:30Z', ['window open: noon: open until 2026-06-01 13:00 UTC', ...always]],
    ['2026-06-01T13:30Z', ['window closed: noon: opens at 2026-06-02 12:00 UTC', ...always]],
    [
      '2026-12-24T12:30Z',
      ['without the freeze: require_approval', 'window open: noon: open until 2026-12-24 13:00 UTC', ...always],
    ],
  ])('at %s says what it would wait for', (now, lines) => {
    expect(when(now).toSorted()).toEqual(lines.toSorted());
  });
});

describe('I3 what is wrong with times stops the start: file, line, rule, what to write', () => {
  const weekly = { timeZone: 'Europe/Berlin', from: '09:00', to: '16:00' };
  it.each([
    [
      { windows: { w: { ...weekly, to: '09:00' } } },
      'window "w": it never opens: from and to are both 09:00; write a to after it',
    ],
    [
      { windows: { w: { ...weekly, timeZone: 'Europe/Berln' } } },
      'there is no time zone "Europe/Berln"; write a name such as',
    ],
    [{ windows: { w: { ...weekly, days: ['mon-fre'] } } }, 'days are ["mon-fre"]; write mon, tue'],
    [{ windows: { w: { ...weekly, from: '9' } } }, `from is "9"; write a time such as '09:00', in quotes`],
    [{ windows: { w: { ...weekly, to: '24:01' } } }, `to is "24:01"; write a time`],
    [{ windows: { w: { ...weekly, times: [{ from: '09:00', to: '10:00' }] } } }, 'write either from and to'],
    [{ windows: { w: { timeZone: 'UTC' } } }, 'write either from and to'],
    [
      { windows: { w: { timeZone: 'UTC', from: '2026-12-02 02:00', to: '2026-12-01 22:00' } } },
      'it never opens: to (2026-12-01 22:00) is not after',
    ],
    [
      { windows: { w: { timeZone: 'UTC', from: '12-01', to: '12-02' } } },
      'what is open once has no days and is not yearly',
    ],
    [{ windows: { w: { ...weekly, form: '09:00' } } }, 'unknown key "form" (did you mean "from"?)'],
    [
      { freezes: [{ ...freeze, from: '01-01', to: '12-31' }] },
      'freeze "year-end": it never ends (01-01 to 12-31 is a year or more)',
    ],
    [{ freezes: [{ ...freeze, from: '2026-01-01', to: '2029-01-01' }] }, 'it never ends'],
    [{ freezes: [{ ...freeze, to: undefined }] }, 'to is missing; write text'],
    [{ freezes: [{ ...freeze, to: '2027-01-04' }] }, 'one of from and to has a year and the other has none'],
    [{ freezes: [{ ...freeze, from: '2026-12-18', to: '2026-12-10' }] }, 'to (2026-12-10) is not after from'],
    [{ freezes: [{ ...freeze, from: '02-30' }] }, 'from is "02-30"; write a date such as 2026-12-18'],
    [{ freezes: [{ ...freeze, when: { environment: 'prod' } }] }, 'freeze "year-end": unknown environment "prod"'],
    [{ freezes: [{ ...freeze, when: {} }] }, 'its when is empty'],
    [{ freezes: [freeze, freeze] }, 'there is another freeze of this id'],
    [{ freezes: [{ ...freeze, id: 'held' }] }, 'a freeze and the rule on line 1 are both "held"'],
    [
      { calendars: ['no-such'] },
      'there is no calendar "no-such"; write it as calendars/no-such.yaml beside the policy',
    ],
    [{ calendars: ['busines-hours'] }, '(did you mean "business-hours"?)'],
  ])('%j', (more, says) => {
    expect(refusal(text(more))).toContain(`policies/sample.yaml:1: `);
    expect(refusal(text(more))).toContain(says);
  });

  it('a window, a checklist that there is not, with the rule and the nearest name', () => {
    const message = refusal(
      text({ windows: { nights: weekly } }, { window: 'night', checklist: 'production-deploymnt' }),
    );
    expect(message).toContain('rule "held": there is no window "night" (did you mean "nights"?)');
    expect(message).toContain(
      'rule "held": there is no checklist "production-deploymnt" (did you mean "production-deployment"?)',
    );
  });

  it('on its own line', () => {
    const yaml = `version: 1\nname: sample\nwindows:\n  w:\n    timeZone: UTC\n    from: 09:00\n    to: 09:00\nrules: []\n`;
    expect(refusal(yaml)).toContain('policies/sample.yaml');
    const whole = yaml.replace(
      'rules: []',
      `rules: ${JSON.stringify((JSON.parse(text({})) as { rules: unknown }).rules)}\nenvironments: ${JSON.stringify(ENVIRONMENTS)}`,
    );
    expect(refusal(whole)).toContain('policies/sample.yaml:7: window "w": it never opens');
  });
});

describe('I3 files beside the policy', () => {
  const files: Record<string, string> = {
    'calendars/team': `{ version: 1, name: team, windows: { night: { timeZone: UTC, from: '22:00', to: '04:00' } }, freezes: [${JSON.stringify({ ...freeze, id: 'party' })}] }`,
    'calendars/broken': `version: 1\nname: broken\nwindows:\n  night: { timeZone: UTC, from: 22, to: '04:00' }\n`,
    'calendars/bad-time': `version: 1\nname: bad-time\nwindows:\n  night: { timeZone: Mars, from: '22:00', to: '04:00' }\n`,
    'checklists/go': `version: 1\nname: go\npre:\n  - { id: looked, says: Looked at it. }\n  - { id: tests, says: Tests pass., evidence: { checks: all } }\n`,
    'checklists/wrong': `version: 1\nname: wrong\npre:\n  - { id: looked }\n  - { id: tests, says: x, evidence: { chekcs: all } }\n`,
    'checklists/renamed': `version: 1\nname: other\npre:\n  - { id: a, says: A. }\n  - { id: a, says: B. }\n  - { id: c, says: C., personMayTick: true }\n`,
    'checklists/two-kinds': `version: 1\nname: two-kinds\npre:\n  - { id: a, says: A., evidence: { checks: all, pods: ready } }\n`,
    'checklists/empty': `{ version: 1, name: empty }`,
    'checklists/no-yaml': `pre: [`,
  };
  const beside: Beside = (_policy, folder, name) => {
    const found = files[`${folder}/${name}`];
    return found === undefined ? { known: [] } : { file: `p/${folder}/${name}.yaml`, text: found };
  };
  const compile = (more: object, approval?: object) =>
    compilePolicy(text(more, approval), 'p/sample.yaml', { ...standIns, beside });
  const wrong = (more: object, approval?: object): string => {
    try {
      compile(more, approval);
    } catch (error) {
      return String(error);
    }
    throw new Error('the policy was accepted');
  };

  it('windows and freezes of a calendar are as the policy’s own, and its file is watched', () => {
    const policy = compile({ calendars: 'team' }, { window: 'night' });
    expect(policy.rules.find(({ id }) => id === 'held')?.terms?.openings?.[0]?.name).toBe('night');
    expect(decide(policy, call('prod'), at('2026-12-24T12:00Z'))).toMatchObject({ verdict: 'deny', rules: ['party'] });
    expect(policy.files).toEqual(['p/calendars/team.yaml']);
  });

  it('a changed word in a checklist or a calendar is another policy; spaces are not', () => {
    const digest = () => compile({ calendars: 'team' }, { checklist: 'go' }).digest;
    const before = digest();
    const changed = (name: string, from: string, to: string) => {
      const was = files[name] ?? '';
      files[name] = was.replace(from, to);
      const now = digest();
      files[name] = was;
      return now;
    };
    expect(changed('checklists/go', 'Looked at it.', 'Looked at it twice.')).not.toBe(before);
    expect(
      changed('checklists/go', 'evidence: { checks: all }', 'evidence: { checks: all }, personMayTick: true'),
    ).not.toBe(before);
    expect(changed('calendars/team', '22:00', '21:00')).not.toBe(before);
    expect(changed('calendars/team', '12-18', '12-17')).not.toBe(before);
    expect(changed('checklists/go', 'pre:\n', '# a comment\npre:\n\n')).toBe(before);
    expect(compile({}, { checklist: 'go' }).digest).not.toBe(compile({}).digest);
  });

  it.each([
    [{ calendars: 'broken' }, {}, 'p/calendars/broken.yaml:4: windows.night.from is 22; write text, in quotes'],
    [{ calendars: 'bad-time' }, {}, 'p/calendars/bad-time.yaml:4: window "night": there is no time zone "Mars"'],
    [{}, { checklist: 'wrong' }, 'rule "held": p/checklists/wrong.yaml:4: pre[1].says is missing'],
    [{}, { checklist: 'wrong' }, 'p/checklists/wrong.yaml:5: unknown key "chekcs" (did you mean "checks"?)'],
    [{}, { checklist: 'renamed' }, 'p/checklists/renamed.yaml:2: its name is "other"; write renamed'],
    [{}, { checklist: 'renamed' }, 'p/checklists/renamed.yaml:5: item "a" is there already'],
    [{}, { checklist: 'renamed' }, 'p/checklists/renamed.yaml:6: item "c": personMayTick is for items with evidence'],
    [{}, { checklist: 'two-kinds' }, 'write one of checks: all, job:'],
    [{}, { checklist: 'empty' }, 'it has no items'],
    [{}, { checklist: 'no-yaml' }, 'not readable as YAML'],
  ])('%j %j', (more, approval, says) => {
    expect(wrong(more, approval)).toContain(says);
  });
});
