import type { ChecklistItem } from '../core/checklist.ts';
import type { Beside } from './beside.ts';
import { readChecklist } from './checklist-file.ts';
import { didYouMean } from './problems.ts';
import type { Problem, Source } from './problems.ts';
import type { PolicyFile } from './schema.ts';

/** The checklists that a policy's rules name. */
export interface Checklists {
  items: Map<string, ChecklistItem[]>;
  files: string[];
  problems: Problem[];
}

/** Reads every checklist that a rule names; one that there is not, or that is wrong, is a problem of that rule. */
export function compileChecklists(entry: PolicyFile, source: Source, find: Beside): Checklists {
  const all: Checklists = { items: new Map(), files: [], problems: [] };
  for (const [index, rule] of entry.rules.entries())
    for (const [at, wanted] of (rule.approval?.checklist ?? []).entries()) {
      if (all.items.has(wanted)) continue;
      const path = ['rules', index, 'approval', 'checklist', at];
      const tell = (says: string) => all.problems.push({ line: source.line(path), path, rule: rule.id, says });
      const found = find(source.file, 'checklists', wanted);
      if ('known' in found) {
        tell(
          `there is no checklist "${wanted}"${didYouMean(wanted, found.known)}; write it as checklists/${wanted}.yaml beside the policy`,
        );
        continue;
      }
      all.files.push(found.file);
      const read = found.read
        ? { items: found.read as ChecklistItem[] }
        : readChecklist(found.text, found.file, wanted);
      if ('problems' in read) for (const says of read.problems) tell(says);
      else all.items.set(wanted, read.items);
    }
  return all;
}
