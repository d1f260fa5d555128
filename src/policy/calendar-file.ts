import { readYaml, textOf } from './problems.ts';
import type { Source } from './problems.ts';
import { CALENDAR_KEYS, calendarFile } from './schema.ts';
import type { CalendarFile } from './schema.ts';
import { shaped } from './shape.ts';

/** A calendar file's windows and freezes, or all that is wrong with its shape: file, line and what to write. */
export function readCalendar(
  text: string,
  file: string,
): { entry: CalendarFile; source: Source } | { problems: string[] } {
  try {
    const source = readYaml(text, file);
    const shape = shaped(calendarFile, CALENDAR_KEYS, 'the calendar', source);
    if ('entry' in shape) return { entry: shape.entry, source };
    return { problems: shape.problems.map(({ line, says }) => `${file}:${line}: ${says}`) };
  } catch (thrown) {
    return { problems: [textOf(thrown)] };
  }
}
