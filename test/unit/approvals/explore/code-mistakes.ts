import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { createApprovals } from '../../../../src/approvals/approvals.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');

/** A mistake made in a copy of the code: what stands in the file just once, and what is put in its place. */
export interface CodeMistake {
  mistake: string;
  file: string;
  instead: readonly [of: string, put: string];
}

export const CODE_MISTAKES: readonly CodeMistake[] = [
  {
    mistake: 'what is approved does not expire',
    file: 'approvals/states.ts',
    instead: [`if (state === 'approved' && (runBy === undefined || now > runBy)) return 'expired';`, ''],
  },
  {
    mistake: 'the lease of a run that acts gives it back',
    file: 'approvals/states.ts',
    instead: [`now > leaseUntil)) return 'unknown'`, `now > leaseUntil)) return 'approved'`],
  },
  {
    mistake: 'the clock is believed when it was set back',
    file: 'approvals/clock.ts',
    instead: ['Math.max(clock.wall(), kept, seen.time + (steady - seen.steady))', 'clock.wall()'],
  },
  {
    mistake: 'a new process does not read what time was kept',
    file: 'approvals/clock.ts',
    instead: ['clock.wall(), kept, seen.time', 'clock.wall(), seen.time'],
  },
  {
    mistake: 'an approval is not verified',
    file: 'approvals/standing.ts',
    instead: ['return signatureFault(decision, key);', 'return undefined;'],
  },
  {
    mistake: 'a claim believes the row and looks at no approver',
    file: 'approvals/running.ts',
    instead: ['if (runBy === undefined || denials.length > 0)', 'if (denials.length > 0)'],
  },
  {
    mistake: 'a denial leaves the request pending',
    file: 'approvals/deciding.ts',
    instead: [
      `return ledger.view(session, await ledger.move(step, row, 'denied', { note }));`,
      'return ledger.view(session, { ...row, note: JSON.stringify(note) });',
    ],
  },
  {
    mistake: 'revoking says so and leaves the row as it is',
    file: 'approvals/deciding.ts',
    instead: [
      `return ledger.view(step.session, await ledger.move(step, row, 'revoked', { note: { by, reason } }));`,
      'return ledger.view(step.session, row);',
    ],
  },
  {
    mistake: 'an old claim may act and settle: its fence is not compared',
    file: 'approvals/running.ts',
    instead: ['row.fence === claim.fence && ', ''],
  },
  {
    mistake: 'another principal may run it',
    file: 'approvals/running.ts',
    instead: ['const row = await ledger.open(step, id, principal);', 'const row = await ledger.open(step, id);'],
  },
  {
    mistake: 'the late result of a run is refused',
    file: 'approvals/running.ts',
    instead: [
      `const row = await held(step, claim, ['acting', 'unknown']);
        if (row instanceof HoldpointError) return row;
        if (row.state === end.state)`,
      `const row = await held(step, claim, ['acting']);
        if (row instanceof HoldpointError) return row;
        if (row.state === end.state)`,
    ],
  },
  {
    mistake: 'a step is written outside its transaction',
    file: 'approvals/running.ts',
    instead: [
      'await step.session.query(\n          `INSERT INTO approval_steps',
      'await ledger.store.query(\n          `INSERT INTO approval_steps',
    ],
  },
];

/**
 * The file of a mistake, with it.
 *
 * @throws Error where the text is not in the file just once: the code has moved on, and the mistake must be planted anew
 */
export function planted({ mistake, file, instead: [of, put] }: CodeMistake): string {
  const parts = readFileSync(join(ROOT, 'src', file), 'utf8').split(of);
  if (parts.length === 2) return parts.join(put);
  throw new Error(`"${mistake}" does not fit src/${file} any more: plant it anew.`);
}

/** The code with one mistake, from a copy of it. */
export async function withMistake<T>(
  mistake: CodeMistake,
  use: (create: typeof createApprovals) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-mistake-'));
  try {
    cpSync(join(ROOT, 'src'), join(folder, 'src'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'src', mistake.file), planted(mistake));
    const url = pathToFileURL(join(folder, 'src/approvals/approvals.ts')).href;
    const code = (await import(/* @vite-ignore */ url)) as { createApprovals: typeof createApprovals };
    return await use(code.createApprovals);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
