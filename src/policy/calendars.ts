import type { ChangeWindow } from '../core/calendar.ts';
import type { Beside } from './beside.ts';
import { readCalendar } from './calendar-file.ts';
import { compileConditions, type Known } from './conditions.ts';
import type { FreezeRule } from './policy.ts';
import { didYouMean } from './problems.ts';
import type { Problem, Source } from './problems.ts';
import type { CalendarFile, PolicyFile } from './schema.ts';
import { freezeOf, windowOf, type TimeProblem } from './times.ts';

/** All change windows and freezes that a policy has: its own and those of the calendars it names. */
export interface Calendars {
  windows: Map<string, ChangeWindow>;
  freezes: FreezeRule[];
  /** The files that they were read from besides the policy's own. */
  files: string[];
  /** What the calendars say, for the policy's digest. */
  content: CalendarFile[];
  problems: Problem[];
}

/** Of a file that was checked whole by the build: nothing in it is told of. */
const NO_LINES: Pick<Source, 'line'> = { line: () => 1 };

/** A file's windows and freezes, and how a problem in it is told. */
interface Part {
  entry: Pick<CalendarFile, 'windows' | 'freezes'>;
  report: (problem: TimeProblem, path: readonly PropertyKey[], of: string) => void;
}

export function compileCalendars(entry: PolicyFile, source: Source, known: Known, find: Beside): Calendars {
  const all: Calendars = { windows: new Map(), freezes: [], files: [], content: [], problems: [] };
  const own: Part = {
    entry,
    report: ({ says, sort, key = [] }, path, of) => {
      const whole = [...path, ...key];
      all.problems.push({ line: source.line(whole), path: whole, says: `${of}: ${says}`, ...(sort && { sort }) });
    },
  };
  const named = (entry.calendars ?? []).flatMap((name, index) => {
    const path = ['calendars', index];
    const tell = (says: string, sort?: TimeProblem['sort']) =>
      all.problems.push({ line: source.line(path), path, says, ...(sort && { sort }) });
    const found = find(source.file, 'calendars', name);
    if ('known' in found) {
      tell(
        `there is no calendar "${name}"${didYouMean(name, found.known)}; write it as calendars/${name}.yaml beside the policy`,
      );
      return [];
    }
    all.files.push(found.file);
    const read = found.read
      ? { entry: found.read as CalendarFile, source: NO_LINES }
      : readCalendar(found.text, found.file);
    if ('problems' in read) {
      for (const says of read.problems) tell(says);
      return [];
    }
    all.content.push(read.entry);
    const report: Part['report'] = ({ says, sort, key = [] }, below, of) =>
      tell(`${found.file}:${read.source.line([...below, ...key])}: ${of}: ${says}`, sort);
    return [{ entry: read.entry, report }];
  });
  for (const part of [own, ...named]) addPart(part, all, known);
  return all;
}

function addPart({ entry, report }: Part, { windows, freezes }: Calendars, known: Known): void {
  for (const [name, written] of Object.entries(entry.windows ?? {})) {
    const path = ['windows', name];
    const of = `window "${name}"`;
    if (windows.has(name)) report({ says: 'there is another window of this name; write another name' }, path, of);
    const window = windowOf(name, written, (problem) => report(problem, path, of));
    // One that cannot be read keeps its name, so that the rules that name it are not wrong as well.
    windows.set(name, window ?? { name, timeZone: 'UTC', times: [] });
  }
  for (const [index, written] of (entry.freezes ?? []).entries()) {
    const path = ['freezes', index];
    const of = `freeze "${written.id}"`;
    if (freezes.some(({ id }) => id === written.id))
      report({ says: 'there is another freeze of this id; write another' }, path, of);
    const time = freezeOf(written, (problem) => report(problem, path, of));
    const rule = { ...written, decision: 'deny', examples: [] } as const;
    const conditions = compileConditions({ ...rule, examples: [] }, known, (says, key, at) =>
      report({ says, key: ['when', ...(key === undefined ? [] : [key]), ...(at === undefined ? [] : [at])] }, path, of),
    );
    if (time) freezes.push({ ...time, conditions });
  }
}
