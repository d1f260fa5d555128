import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { readApprover } from '../approvals/approver-file.ts';
import type { Approver } from '../approvals/approvers.ts';
import { progressOf } from '../approvals/demands.ts';
import type { Check } from './check.ts';

/** Whether the approvers who are registered can give what the policy's rules ask for, when this user's agent asks. */
export const demands: Check = {
  what: 'approvers',
  run({ config, policy }) {
    const folder = join(config.keys, 'approvers');
    const approvers = existsSync(folder) ? readAll(folder) : [];
    // That there are none, or damaged ones, is said once.
    if (approvers.length === 0 || policy === undefined) return [];
    return policy.rules.flatMap(({ id, terms }) => {
      const why = terms && progressOf(terms, config.user, approvers, []).cannotBeMet;
      if (why === undefined) return [];
      const fix = 'holdpoint approver add NAME --group GROUP, or approver set, or approver key add';
      return [
        { level: 'warn' as const, what: 'approvers', detail: `nobody can approve what "${id}" holds: ${why}`, fix },
      ];
    });
  },
};

/** The approvers; none where one cannot be read. The registry itself would make its folder. */
function readAll(folder: string): Approver[] {
  try {
    const names = readdirSync(folder).flatMap((file) =>
      file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : [],
    );
    return names.map((name) => ({ ...readApprover(join(folder, `${name}.json`), name), protected: true }));
  } catch {
    return [];
  }
}
