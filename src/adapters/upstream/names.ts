import { createHash } from 'node:crypto';

/** Of tools' names, by the clients that take the least. */
const MOST = 64;
const ALLOWED = /^[a-zA-Z0-9_-]+$/;
/** Letters and digits at both ends and no `__` within, so that a whole name has one reading. */
const SERVER = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]|_(?!_)){0,30}(?<!_)$/;

/** Why a key of `mcpServers` cannot begin the names of its tools; undefined where it can. */
export function serverNameProblem(key: string): string | undefined {
  if (SERVER.test(key)) return undefined;
  return 'its name must be 1 to 31 letters, digits, "-" and single "_", with no "_" at the end';
}

/**
 * A tool's name here: `<server>__<tool>`. No tool of Holdpoint's own has `__`, so that none can be taken for one. Where letters
 * or the length do not fit, the same tool always gets the same shorter name, which ends in a part of its own name's hash.
 */
export function wholeName(server: string, tool: string): string {
  const whole = `${server}__${tool}`;
  if (whole.length <= MOST && ALLOWED.test(tool)) return whole;
  const hash = createHash('sha256').update(tool).digest('hex').slice(0, 8);
  const room = MOST - server.length - 2 - hash.length - 1;
  return `${server}__${tool.replace(/[^a-zA-Z0-9_-]+/g, '_').slice(0, room)}_${hash}`;
}
