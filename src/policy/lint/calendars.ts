import { localTime, nextOpening, readLocal } from '../../core/calendar.ts';
import { found, keyPlace } from './scope.ts';
import type { Check } from './scope.ts';

const HOUR = 3_600_000;

/** Times that are over, and emergencies that last. */
export const calendars: Check = (scope) => {
  const now = Date.now();
  const over = scope.policy.freezes.filter(({ from, to, timeZone }) =>
    // Without a year it comes again.
    /^\d{4}-/.test(from) ? readLocal(to) <= localTime(timeZone, now) : false,
  );
  return [
    ...over.map(({ id, to, timeZone }) => {
      const index = scope.entry.freezes?.findIndex((freeze) => freeze.id === id) ?? -1;
      const path = index < 0 ? ['calendars'] : ['freezes', index];
      return found('freeze-over', scope.source.place(path), {
        of: id,
        message: `It ended at ${to} ${timeZone} and freezes nothing any more.`,
        fix: 'Leave it out, or write its dates without the year to have it every year.',
      });
    }),
    ...scope.rules.flatMap(({ entry, rule: { terms }, index }) => {
      const place = keyPlace(scope, index, 'approval');
      const openings = terms?.openings ?? [];
      return [
        ...(openings.length > 0 && nextOpening(openings, now) === undefined
          ? [
              found('window-never-opens', place, {
                of: entry.id,
                message: `What it holds can never run: ${openings.map(({ name }) => name).join(', ')} will not open within the next 400 days.`,
                fix: 'Name a window that is still to come, or leave window out.',
              }),
            ]
          : []),
        ...((terms?.breakGlass ?? 0) > HOUR
          ? [
              found('break-glass-long', place, {
                of: entry.id,
                message: 'What one person approved alone in an emergency may run for more than an hour.',
                fix: 'Write breakGlass: 15m.',
              }),
            ]
          : []),
      ];
    }),
  ];
};
