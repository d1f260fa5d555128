import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Set in the environment of every process that is started: its children inherit it, wherever they go. */
export const MARKER = 'HOLDPOINT_PROCESS';

const POLL = 50;

/**
 * Ends a process and all it started: first politely, after `graceMs` by force, until none is left. Besides the process's own
 * group, found are (on Linux) its descendants, its session and whatever carries its marker, so that leaving the group or the
 * parent does not help.
 */
export async function endTree(leader: number, id: string, graceMs: number): Promise<void> {
  const until = Date.now() + graceMs;
  signalAll(leader, await members(leader, id), 'SIGTERM');
  while (Date.now() < until) {
    if ((await members(leader, id)).length === 0) return;
    await sleep(POLL);
  }
  // What forks while it is being listed is found the next time round.
  for (let round = 0; round < 20; round++) {
    const left = await members(leader, id);
    if (left.length === 0) return;
    signalAll(leader, left, 'SIGKILL');
    await sleep(POLL);
  }
}

function signalAll(leader: number, pids: readonly number[], signal: NodeJS.Signals): void {
  // An empty group's number may by now be somebody else's.
  for (const pid of pids.length > 0 ? [-leader, ...pids] : []) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** The living processes of a tree; without /proc, the leader while its group lives. */
async function members(leader: number, id: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => undefined);
  if (!names) return groupLives(leader) ? [leader] : [];
  const seen = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map((name) => look(Number(name), id)));
  const alive = seen.filter((each) => each !== undefined);
  const found = new Set(
    alive.filter((each) => each.marked || [each.pid, each.group, each.session].includes(leader)).map(({ pid }) => pid),
  );
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const each of alive) if (found.has(each.parent)) found.add(each.pid);
  }
  return [...found];
}

async function look(pid: number, id: string) {
  const [stat, environ] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''),
    readFile(`/proc/${pid}/environ`, 'latin1').catch(() => ''),
  ]);
  // The name, in parentheses, may hold anything; what follows its last parenthesis is numbers.
  const [state, parent, group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === undefined || state === '' || state === 'Z' || state === 'X' || pid === process.pid) return undefined;
  const marked = environ.split('\0').includes(`${MARKER}=${id}`);
  return { pid, parent: Number(parent), group: Number(group), session: Number(session), marked };
}

function groupLives(leader: number): boolean {
  try {
    return process.kill(-leader, 0);
  } catch {
    return false;
  }
}
