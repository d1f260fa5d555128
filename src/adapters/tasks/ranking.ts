import { openOnes, type Task } from './shapes.ts';
import type { Ranking } from './weights.ts';

const CLASSES = ['blocker', 'production issue', 'enabler', 'other'] as const;

const MOST_KEYWORDS = 4;
const MOST_UNBLOCKED = 10;

export interface Ranked {
  task: Task;
  class: (typeof CLASSES)[number];
  points: number;
  /** In words, the weightiest first. Names in them are the ranking's, counts are ours: nothing of a task's text. */
  why: string[];
}

/**
 * Tasks that can be taken now, best first: by class, then points, then age, then id, so that the same tasks always come in the
 * same order. Those that somebody has, that are over, or that wait for others are counted, not listed.
 */
export function rank(
  tasks: readonly Task[],
  ranking: Ranking,
): { ranked: Ranked[]; left: { taken: number; blocked: number } } {
  const free = tasks.filter(({ status, assignee }) => status === 'open' && assignee === null);
  const able = free.filter(({ blockedBy }) => openOnes(blockedBy).length === 0);
  const ranked = able.map((task) => rankedOne(task, ranking));
  ranked.sort(
    (a, b) =>
      CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class) ||
      b.points - a.points ||
      Date.parse(a.task.createdAt) - Date.parse(b.task.createdAt) ||
      (a.task.id < b.task.id ? -1 : a.task.id > b.task.id ? 1 : 0),
  );
  return { ranked, left: { taken: tasks.length - free.length, blocked: free.length - able.length } };
}

function rankedOne(task: Task, { classes, keywords, skills, stakeholders, points }: Ranking): Ranked {
  const text = [task.title, task.story ?? '', task.description ?? '', ...task.labels].join('\n');
  const why: { says: string; points: number }[] = [];
  const give = (says: string, gives: number) => {
    if (gives > 0) why.push({ says: `${says} (+${gives})`, points: gives });
  };
  const has = (words: readonly string[]) => words.filter((word) => names(text, word));
  const isOf = (words: readonly string[], value: string | undefined) =>
    value !== undefined && words.some((word) => same(word, value));

  const found = has(keywords);
  const [primary, secondary] = [has(skills.primary), has(skills.secondary)];
  const waiting = openOnes(task.blocks);
  const enabler = isOf(classes.enablers.types, task.type);
  give(`names ${found.join(', ')}`, Math.min(found.length, MOST_KEYWORDS) * points.keyword);
  const forDevelopers =
    task.stakeholders.some((each) => isOf(stakeholders, each)) || /\bas an? developer\b/i.test(task.story ?? '');
  give('an enabler for developers', enabler && forDevelopers ? points.enablerForDevelopers : 0);
  give(`unblocks ${waiting.length} tasks`, Math.min(waiting.length, MOST_UNBLOCKED) * points.unblocks);
  give(`primary skills ${primary.join(', ')}`, primary.length > 0 ? points.primarySkill : 0);
  give(`secondary skills ${secondary.join(', ')}`, secondary.length > 0 ? points.secondarySkill : 0);
  if (task.priority) give(`priority ${task.priority}`, points.priority[task.priority]);

  const held = waiting.filter(({ team }) => isOf(classes.blockers.teams, team));
  const infrastructure = enabler || found.length + primary.length + secondary.length > 0;
  const signs = has(classes.production.signs);
  const inProduction = isOf(classes.production.environments, task.environment);
  const said = (kind: Ranked['class'], says: string): Ranked => ({
    task,
    class: kind,
    points: why.reduce((sum, each) => sum + each.points, 0),
    why: [says, ...why.toSorted((a, b) => b.points - a.points).map((each) => each.says)],
  });
  if (held.length > 0 && infrastructure)
    return said(
      'blocker',
      `a blocker: ${held.length} open tasks of ${classes.blockers.teams.join(' or ')} wait for it`,
    );
  if (isOf(classes.production.types, task.type)) return said('production issue', 'a production issue: an incident');
  if (inProduction && signs.length > 0)
    return said('production issue', `a production issue: ${signs.join(', ')} in production`);
  if (enabler && isOf(classes.enablers.sprints, task.sprint))
    return said('enabler', 'an enabler for the coming sprint');
  return said('other', 'neither a blocker, nor a production issue, nor an enabler for the coming sprint');
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.trim().toLowerCase();
}

/** Whether a text names a word: whole for a short one (`CI`, `down`), with an ending for a longer one (`deployment`, `vulnerabilities`). */
function names(text: string, word: string): boolean {
  const escaped = word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/[ -]/g, '[\\s-]');
  const inflected = word.length > 4 ? `${escaped.replace(/y$/, '(?:y|ies)')}\\p{L}*` : escaped;
  return new RegExp(`(?<![\\p{L}\\p{N}])${inflected}(?![\\p{L}\\p{N}])`, 'iu').test(text);
}
