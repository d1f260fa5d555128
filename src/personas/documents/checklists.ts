import { stringify } from 'yaml';

import { PHASES, type Phase } from '../../core/checklist.ts';
import { cutAtWord } from '../../core/cut.ts';
import { plainLine } from '../../core/foreign.ts';
import { beside, type Beside } from '../../policy/beside.ts';
import type { Base, ChecklistText, ItemText, RuleText } from './base-policy.ts';
import { slug, type Checklist, type Cited, type DocumentFacts, type Note } from './facts.ts';

/** The document's own checklist, as rules name it. No shipped one is called so: it takes no other's place. */
const NAME = 'document';
export const CHECKLIST_FILE = `checklists/${NAME}.yaml`;
/** Items of a document that a person can be asked to look at. */
const MOST_ITEMS = 50;
/** As long as an item may be. */
const LONGEST = 300;

/** A list of boxes under such a heading says when production may change; others (a story's, a review's) are about other work. */
const PRODUCTION = /\b(?:deploy\w*|releas\w*|production|rollout|approv\w*|launch\w*|go-?live)\b/i;
const WHEN: readonly { says: RegExp; phase: Phase }[] = [
  { says: /\b(?:post|after)\b/i, phase: 'post' },
  { says: /\b(?:during|while)\b|^(?:deployment|release|rollout)$/i, phase: 'during' },
];

/** How documents say what the checklist of every persona says, by its item. */
const SAME: Readonly<Record<string, RegExp>> = {
  'tests-passing': /\btests? (?:are |is )?pass/i,
  'code-reviewed': /\bcode (?:was |is )?review/i,
  'backup-created': /\bbackups? (?:was |were |is )?(?:created|made|taken)\b/i,
  'rollback-tested': /\brollback\b.*\btested\b/i,
  'monitoring-configured': /\bmonitoring (?:is )?configured\b/i,
  'alerts-configured': /\balert\w* (?:are |is )?configured\b/i,
  'window-scheduled': /\bwindow (?:is )?scheduled\b/i,
  'health-checks': /\bhealth checks? (?:are )?pass/i,
  'metrics-normal': /\bmetrics (?:are |is )?normal\b/i,
  'logs-clean': /\bno errors in (?:the )?logs\b/i,
  'traffic-normal': /\btraffic (?:is )?normal\b/i,
  'watched-for-a-day': /\b24 ?h(?:ours?)?\b/i,
  'services-verified': /\bverify all services\b/i,
  'performance-checked': /\bperformance metrics\b/i,
  'issues-documented': /\bdocument any issues\b/i,
};

export interface OwnChecklist {
  /** The file's text; undefined where the document asks for nothing that every persona is not asked for. */
  text?: string;
  ambiguous: Note[];
  unused: Note[];
}

/**
 * What the document's boxes ask for beside the checklist that every persona has: items of the same phase that say the same are
 * asked for once, and what Holdpoint can see of an item, it looks at.
 */
export function checklistOf({ checklists }: DocumentFacts, base: Base, file: string): OwnChecklist {
  const used = checklists.filter(aboutProduction);
  const others = checklists.filter((list) => !aboutProduction(list));
  const unused = others.map(({ words, items, line }) => ({
    says: `checklist ${words}: nothing says that it is about production, so none of its ${items.length} items is asked for there`,
    lines: [line],
  }));
  const boxes = used.flatMap(({ words, items }) => items.map((item) => ({ item, phase: phaseOf(words) })));
  if (boxes.length === 0) return { ambiguous: [], unused };
  const own = boxes.filter(({ item, phase }) => knownItem(base.checklist, item)?.phase !== phase);
  const lines = used.flatMap(({ items }) => items.map(({ line }) => line));
  if (own.length > MOST_ITEMS)
    return {
      ambiguous: [],
      unused: [
        ...unused,
        {
          says: `${own.length} items of checklists: more than ${MOST_ITEMS} nobody ticks, so they are not asked for`,
          lines,
        },
      ],
    };
  const asked = `production is approved with the checklist ${base.checklist.name}, which has ${boxes.length - own.length} of these ${boxes.length} items`;
  const rest = own.length === 0 ? '' : `, and with ${CHECKLIST_FILE}, which has the others`;
  return {
    ambiguous: [{ says: `${asked}${rest}`, lines }],
    unused,
    ...(own.length > 0 && { text: checklistText(own, base.checklist, file) }),
  };
}

/** Rules that ask for the checklist of every persona ask for the document's own as well. */
export function withChecklist(rules: readonly RuleText[], { text }: OwnChecklist): RuleText[] {
  if (text === undefined) return [...rules];
  return rules.map((rule) =>
    rule.approval?.checklist === undefined
      ? rule
      : { ...rule, approval: { ...rule.approval, checklist: [rule.approval.checklist, NAME].flat() } },
  );
}

/** Finds the document's own checklist before it is written anywhere, and the others where they are. */
export function besideWith(text: string | undefined): Beside {
  return (policyFile, folder, name) =>
    text !== undefined && folder === 'checklists' && name === NAME
      ? { file: CHECKLIST_FILE, text }
      : beside(policyFile, folder, name);
}

function aboutProduction({ words }: Checklist): boolean {
  return PRODUCTION.test(words);
}

/** By the nearest heading: `Production Deployment Checklist: Post-Deployment` is about afterwards. */
function phaseOf(words: string): Phase {
  const heading = words.slice(words.lastIndexOf(':') + 1).trim();
  return WHEN.find(({ says }) => says.test(heading))?.phase ?? 'pre';
}

function knownItem(list: ChecklistText, { words }: Cited): { item: ItemText; phase: Phase } | undefined {
  for (const phase of PHASES)
    for (const item of list[phase] ?? []) if (SAME[item.id]?.test(words)) return { item, phase };
  return undefined;
}

function checklistText(own: readonly { item: Cited; phase: Phase }[], list: ChecklistText, file: string): string {
  const ids = new Set<string>();
  const items = own.map(({ item, phase }) => {
    const says = saying(item);
    const evidence = knownItem(list, item)?.item.evidence;
    return { phase, asked: { id: newId(says, ids), says, ...(evidence && { evidence, personMayTick: true }) } };
  });
  const written: ChecklistText & { version: 1 } = { version: 1, name: NAME };
  for (const phase of PHASES) {
    const asked = items.filter((item) => item.phase === phase).map((item) => item.asked);
    if (asked.length > 0) written[phase] = asked;
  }
  return `# Made by "holdpoint persona import" from ${file}.\n${stringify(written, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}

/** In the document's words; where they end too early, with their line. */
function saying({ words, line }: Cited): string {
  const whole = plainLine(words);
  return whole !== '' && whole.length <= LONGEST ? whole : `${cutAtWord(whole, LONGEST - 20)} … (line ${line})`.trim();
}

/** An id that begins with a letter and that no item before has. */
function newId(says: string, ids: Set<string>): string {
  const words = slug(says).slice(0, 50);
  const first = /^[a-z]/.test(words) ? words : `item-${words}`;
  let id = first;
  for (let number = 2; ids.has(id); number++) id = `${first}-${number}`;
  ids.add(id);
  return id;
}
