import { z } from 'zod';

import { parseDuration } from '../config/duration.ts';
import { PHASES, type ChecklistItem, type EvidenceWanted } from '../core/checklist.ts';
import { readYaml, textOf } from './problems.ts';
import type { Source } from './problems.ts';
import { name, type Keys } from './schema.ts';
import { shaped } from './shape.ts';

const text = z.string().trim().min(1).max(300);
const repository = z
  .string()
  .regex(/^[\w-]{1,39}\/[\w.-]{1,100}$/, 'write OWNER/NAME')
  .optional();
const within = z.string().transform((written, context) => {
  const ms = parseDuration(written);
  if (ms) return ms;
  context.addIssue({ code: 'custom', message: 'write a number and s, m, h or d, such as 24h' });
  return z.NEVER;
});

const job = z.strictObject({ workflow: text, job: text.optional(), branch: text.optional(), within, repository });

const evidence = z
  .strictObject({
    checks: z.literal('all').optional(),
    job: job.optional(),
    pods: z.literal('ready').optional(),
    alerts: z.enum(['configured', 'quiet']).optional(),
    window: z.literal('named').optional(),
    matching: z.array(text).optional(),
    repository,
  })
  .refine(
    ({ matching: _matching, repository: _repository, ...kinds }) =>
      Object.values(kinds).filter((kind) => kind !== undefined).length === 1,
    {
      error:
        'write one of checks: all, job: { workflow, within }, pods: ready, alerts: quiet, alerts: configured, window: named',
    },
  )
  .refine(({ matching, alerts }) => matching === undefined || alerts !== undefined, {
    error: 'matching is for alerts; leave it out',
  });

const item = z.strictObject({
  id: name,
  says: text,
  evidence: evidence.optional(),
  personMayTick: z.boolean().optional(),
});

const items = z.array(item).min(1, 'write at least one item, or leave the key out').optional();

const checklistFile = z.strictObject({ version: z.literal(1), name, pre: items, during: items, post: items });

type ChecklistFile = z.output<typeof checklistFile>;

const CHECKLIST_KEYS: Keys = [
  [/^$/, Object.keys(checklistFile.shape)],
  [/^(?:pre|during|post)\.\d+$/, Object.keys(item.shape)],
  [/\.evidence$/, ['checks', 'job', 'pods', 'alerts', 'window', 'matching', 'repository']],
  [/\.job$/, Object.keys(job.shape)],
];

/** A checklist file's items, or all that is wrong with it: file, line and what to write. */
export function readChecklist(
  content: string,
  file: string,
  wanted: string,
): { items: ChecklistItem[] } | { problems: string[] } {
  try {
    const source = readYaml(content, file);
    const shape = shaped(checklistFile, CHECKLIST_KEYS, 'the checklist', source);
    if ('problems' in shape) return { problems: shape.problems.map(({ line, says }) => `${file}:${line}: ${says}`) };
    const { problems, found } = itemsOf(shape.entry, source);
    if (shape.entry.name !== wanted)
      problems.push(
        `${file}:${source.line(['name'])}: its name is "${shape.entry.name}"; write ${wanted}, as its file is called`,
      );
    if (found.length === 0) problems.push(`${file}:1: it has no items; write pre, during or post with some`);
    return problems.length > 0 ? { problems } : { items: found };
  } catch (thrown) {
    return { problems: [textOf(thrown)] };
  }
}

function itemsOf(entry: ChecklistFile, source: Source): { problems: string[]; found: ChecklistItem[] } {
  const problems: string[] = [];
  const found: ChecklistItem[] = [];
  for (const phase of PHASES)
    for (const [index, { id, says, evidence: wanted, personMayTick }] of (entry[phase] ?? []).entries()) {
      const line = source.line([phase, index]);
      const whole = `${entry.name}/${id}`;
      if (found.some((other) => other.id === whole))
        problems.push(`${source.file}:${line}: item "${id}" is there already; write another id`);
      if (wanted === undefined && personMayTick !== undefined)
        problems.push(`${source.file}:${line}: item "${id}": personMayTick is for items with evidence; leave it out`);
      const looked = wanted && evidenceOf(wanted);
      found.push({
        id: whole,
        phase,
        says,
        ...(looked && { evidence: looked }),
        personMayTick: looked ? personMayTick === true : true,
      });
    }
  return { problems, found };
}

function evidenceOf(wanted: z.output<typeof evidence>): EvidenceWanted {
  const where = wanted.repository === undefined ? {} : { repository: wanted.repository };
  if (wanted.checks) return { kind: 'checks', ...where };
  if (wanted.pods) return { kind: 'pods' };
  if (wanted.window) return { kind: 'window' };
  if (wanted.alerts) return { kind: 'alerts', are: wanted.alerts, matching: wanted.matching ?? [] };
  const { workflow, within: time = 0, ...more } = wanted.job ?? { workflow: '' };
  const named = Object.fromEntries(Object.entries({ ...where, ...more }).filter(([, value]) => value !== undefined));
  return { kind: 'job', workflow, within: time, ...named };
}
