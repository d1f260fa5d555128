import { z } from 'zod';

import { parseDuration } from '../config/duration.ts';
import { VERDICTS } from '../core/decision.ts';
import { EFFECTS } from '../core/effect.ts';
import { SELECTORS, TARGET_KINDS } from '../core/target.ts';

const text = z.string().trim().min(1);
/** A name that policies and the files beside them give to something. */
export const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,63}$/, 'write lower-case letters, digits and hyphens, beginning with a letter');

/** A value or a list of them; always a list afterwards. */
function list<T extends z.ZodType>(item: T) {
  return z.preprocess(
    (value) => (Array.isArray(value) ? value : [value]),
    z.array(item).min(1, 'write at least one value, or leave the key out'),
  );
}

/** `30m`, `24h` in milliseconds. */
const duration = z.string().transform((written, context) => {
  const ms = parseDuration(written);
  if (ms) return ms;
  context.addIssue({ code: 'custom', message: 'write a number and s, m, h or d, such as 30m or 24h' });
  return z.NEVER;
});

const selectorLists = {
  kubeContexts: list(text).optional(),
  clusters: list(text).optional(),
  namespaces: list(text).optional(),
  branches: list(text).optional(),
  workflows: list(text).optional(),
  githubEnvironments: list(text).optional(),
  hosts: list(text).optional(),
  dockerHosts: list(text).optional(),
  upstreams: list(text).optional(),
};

const selectorValues = {
  kubeContext: list(text).optional(),
  cluster: list(text).optional(),
  namespace: list(text).optional(),
  branch: list(text).optional(),
  workflow: list(text).optional(),
  githubEnvironment: list(text).optional(),
  host: list(text).optional(),
  dockerHost: list(text).optional(),
  upstream: list(text).optional(),
};

const when = z.strictObject({
  kind: list(z.enum(TARGET_KINDS)).optional(),
  effect: list(z.enum(EFFECTS)).optional(),
  environment: list(text).optional(),
  path: list(text).optional(),
  tool: list(text).optional(),
  command: list(text).optional(),
  resource: list(text).optional(),
  id: list(text).optional(),
  ...selectorValues,
});

/** An approver's name, group or role, as `holdpoint approver` takes them. */
const approverName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, 'write letters, digits, dots, dashes and underscores');

const approvers = z
  .strictObject({
    names: list(approverName).optional(),
    groups: list(approverName).optional(),
    roles: list(approverName).optional(),
  })
  .refine((given) => Object.keys(given).length > 0, { error: 'write names, groups or roles, or leave the key out' });

const approval = z
  .strictObject({
    approvals: z.int().min(1, 'write 1 to 10').max(10, 'write 1 to 10').optional(),
    approveWithin: duration.optional(),
    runWithin: duration.optional(),
    channel: z.enum(['out-of-band', 'client']).optional(),
    requesterMayApprove: z.boolean().optional(),
    approvers: approvers.optional(),
    reason: z.enum(['optional', 'required']).optional(),
    signature: z.enum(['any', 'ssh', 'passkey']).optional(),
    checklist: list(name).optional(),
    window: list(name).optional(),
    breakGlass: duration.optional(),
  })
  .refine(
    ({ approvals = 1, approvers: of }) => !of?.names || of.groups || of.roles || new Set(of.names).size >= approvals,
    {
      path: ['approvers'],
      error: 'names fewer people than approvals asks for; write more names, a group, or a smaller number',
    },
  );

const target = z.strictObject({
  kind: z.enum(TARGET_KINDS),
  id: text,
  effect: z.enum(EFFECTS),
  path: text.optional(),
  command: text.optional(),
  resource: text.optional(),
  at: z.partialRecord(z.enum(SELECTORS), text).optional(),
});

const facts = z
  .strictObject({
    kubeContext: text.optional(),
    cluster: text.optional(),
    namespace: text.optional(),
    dockerHost: text.optional(),
  })
  .refine(({ kubeContext, cluster, namespace }) => kubeContext !== undefined || (cluster ?? namespace) === undefined, {
    error: 'cluster and namespace are those of a context; write kubeContext too',
  });

const example = z.strictObject({
  tool: text,
  input: z.record(z.string(), z.json()).optional(),
  targets: z.array(target).min(1).optional(),
  facts: facts.optional(),
  expect: z.enum(VERDICTS),
});

const rule = z.strictObject({
  id: name,
  decision: z.enum(VERDICTS),
  when,
  reason: text,
  handOff: text.optional(),
  consult: text.optional(),
  approval: approval.optional(),
  examples: z.array(example).min(1, 'write at least one call that it decides, with what to expect'),
});

const freeze = z.strictObject({
  id: name,
  when,
  from: text,
  to: text,
  timeZone: text,
  reason: text,
});

const hours = z.strictObject({ days: list(text).optional(), from: text, to: text });

const window = z.strictObject({
  timeZone: text,
  days: list(text).optional(),
  from: text.optional(),
  to: text.optional(),
  times: list(hours).optional(),
});

const times = {
  windows: z.record(name, window).optional(),
  freezes: z.array(freeze).optional(),
};

/** The shape of a file with change windows and freezes that several policies share. */
export const calendarFile = z.strictObject({ version: z.literal(1), name, ...times });

/** A policy file's shape. */
export const policyFile = z.strictObject({
  version: z.literal(1),
  name,
  calendars: list(name).optional(),
  ...times,
  environments: z.record(name, z.strictObject(selectorLists)).default({ production: {} }),
  rules: z.array(rule).min(1, 'write at least one rule that allows something; without one everything is denied'),
});

/** A policy file whose shape is right; names and patterns in it are not yet checked. */
export type PolicyFile = z.output<typeof policyFile>;
export type RuleEntry = PolicyFile['rules'][number];
export type WhenEntry = RuleEntry['when'];
export type ApprovalEntry = NonNullable<RuleEntry['approval']>;
export type CalendarFile = z.output<typeof calendarFile>;
export type WindowEntry = z.output<typeof window>;
export type FreezeEntry = z.output<typeof freeze>;
export type ApproversEntry = NonNullable<ApprovalEntry['approvers']>;
export type EnvironmentEntry = PolicyFile['environments'][string];

/** Which keys there are where, as paths with their indexes; for saying what is known when a key is not. */
export type Keys = readonly (readonly [where: RegExp, keys: readonly string[]])[];

const TIME_KEYS: Keys = [
  [/^windows\.[^.]+$/, Object.keys(window.shape)],
  [/^windows\.[^.]+\.times/, Object.keys(hours.shape)],
  [/^freezes\.\d+$/, Object.keys(freeze.shape)],
  [/\.when$/, Object.keys(when.shape)],
];

export const CALENDAR_KEYS: Keys = [[/^$/, Object.keys(calendarFile.shape)], ...TIME_KEYS];

export const KEYS: Keys = [
  ...TIME_KEYS,
  [/^$/, Object.keys(policyFile.shape)],
  [/^environments\.[^.]+$/, Object.keys(selectorLists)],
  [/^rules\.\d+$/, Object.keys(rule.shape)],
  [/\.approval$/, Object.keys(approval.shape)],
  [/\.approvers$/, Object.keys(approvers.shape)],
  [/\.examples\.\d+$/, Object.keys(example.shape)],
  [/\.facts$/, Object.keys(facts.shape)],
  [/\.targets\.\d+$/, Object.keys(target.shape)],
];
