import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Set in the environment of every process that is started: its children inherit it, wherever they go. */
export const MARKER = 'HOLDPOINT_PROCESS';

const POLL = 50;
/** Milliseconds between two looks that find nothing, and how many of them are enough in any case. */
const LOOK_AGAIN = 10;
const MOST_LOOKS = 50;
/** The kernel's own threads, among the flags of a process: `PF_KTHREAD` of Linux. */
const KERNEL_THREAD = 0x20_0000;

/** A process with all it started. */
export interface Tree {
  leader: number;
  /** The marker's value. */
  id: string;
  /** Whether the leader is the sandbox, not the program. */
  sandboxed: boolean;
}

/** One living process of this machine. */
interface Seen {
  pid: number;
  parent: number;
  group: number;
  session: number;
  /** Tells it from a later one of the same number. */
  birth: string;
  /** Which process this belongs to, by its marker, null where to none; undefined in the moment of becoming another program. */
  marker: string | null | undefined;
}

/** Markers by process, so that looking again and again reads each environment once. */
export type Markers = ReadonlyMap<string, string | null | undefined>;

/**
 * Ends a process and all it started: first politely, after `graceMs` by force, until none is left. Besides the process's own
 * group, found are (on Linux) its descendants, its session and whatever carries its marker, so that leaving the group or the
 * parent does not help. A sandbox is not asked but its program is: the sandbox's end is the end of all in it.
 */
export async function endTree(tree: Tree, graceMs: number): Promise<void> {
  const until = Date.now() + graceMs;
  const asked = await members(tree);
  // An empty group's number may by now be somebody else's.
  if (asked.length === 0) return;
  signalAll(tree.sandboxed ? asked.filter((pid) => pid !== tree.leader) : [-tree.leader, ...asked], 'SIGTERM');
  while (Date.now() < until) {
    if ((await members(tree)).length === 0) return;
    await sleep(POLL);
  }
  // What forks while it is being listed is found the next time round.
  for (let round = 0; round < 20; round++) {
    const left = await members(tree);
    if (left.length === 0) return;
    signalAll([-tree.leader, ...left], 'SIGKILL');
    await sleep(POLL);
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/**
 * The living processes of a tree; without /proc, the leader while its group lives. That there is none takes two looks, and more
 * while one becomes another program: that one, and what forks and ends while it is listed, can be missed by a single look.
 */
async function members(tree: Tree): Promise<number[]> {
  for (let looks = 1; ; looks++) {
    const seen = await look();
    if (!seen) return groupLives(tree.leader) ? [tree.leader] : [];
    const found = treeIn(seen, tree);
    if (found.length > 0 || looks === MOST_LOOKS) return found;
    if (looks > 1 && seen.every(({ marker }) => marker !== undefined)) return found;
    await sleep(LOOK_AGAIN);
  }
}

/** The processes of a tree among all that live. */
export function treeIn(seen: readonly Seen[], { leader, id }: Pick<Tree, 'leader' | 'id'>): number[] {
  const own = seen.filter((each) => each.marker === id || [each.pid, each.group, each.session].includes(leader));
  const found = new Set(own.map(({ pid }) => pid));
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const each of seen) if (found.has(each.parent)) found.add(each.pid);
  }
  return [...found];
}

/** All living processes but this one; undefined without /proc. */
export async function look(markers?: Markers): Promise<Seen[] | undefined> {
  const names = await readdir('/proc').catch(() => undefined);
  if (!names) return undefined;
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const seen = await Promise.all(pids.map((pid) => lookAt(pid, markers)));
  return seen.filter((each) => each !== undefined);
}

async function lookAt(pid: number, markers: Markers | undefined): Promise<Seen | undefined> {
  const fields = await statOf(pid);
  const [state, parent, group, session] = fields;
  if (state === undefined || state === '' || state === 'Z' || state === 'X' || pid === process.pid) return undefined;
  if ((Number(fields[6]) & KERNEL_THREAD) !== 0) return undefined;
  const birth = `${pid}:${fields[19]}`;
  const known = markers?.get(birth);
  const marker = known === undefined ? await markerOf(pid) : known;
  return { pid, parent: Number(parent), group: Number(group), session: Number(session), birth, marker };
}

/** What `/proc/PID/stat` says from the state on: `proc_pid_stat(5)`, whose numbers are greater by three. */
async function statOf(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  // The name, in parentheses, may hold anything; what follows its last parenthesis is numbers.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

async function markerOf(pid: number): Promise<string | null | undefined> {
  const file = `/proc/${pid}/environ`;
  let environ = await readFile(file, 'latin1').catch(() => undefined);
  // What became another program between opening and reading gives nothing, and so each time if it goes on: once more, in one step.
  if (environ === '') environ = readAtOnce(file);
  if (environ === '') {
    // What was started without an environment has a place for it all the same, of no length.
    const [from, to] = (await statOf(pid)).slice(47, 49);
    return from === to && from !== '0' ? null : undefined;
  }
  const found = environ?.split('\0').find((each) => each.startsWith(`${MARKER}=`));
  return found?.slice(MARKER.length + 1) ?? null;
}

function readAtOnce(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}

function groupLives(leader: number): boolean {
  try {
    return process.kill(-leader, 0);
  } catch {
    return false;
  }
}
