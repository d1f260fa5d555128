import type { Attack } from './case.ts';
import type { Connection } from './connect.ts';
import type { ServerMap } from './server-map.ts';
import type { World } from './world.ts';

/** A case under way. */
export interface Run {
  attack: Attack;
  map: ServerMap;
  world: World;
  connection: Connection;
  other?: Connection | undefined;
  id: string;
  answers: string[];
  problems: string[];
  calls: number;
}

/** Texts of a case in this world: its folders and addresses, and the last request's id. */
export function inWorld(value: unknown, run: Run): unknown {
  if (typeof value === 'string') return run.world.fill(value.replaceAll('{id}', run.id));
  if (Array.isArray(value)) return value.map((each) => inWorld(each, run));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inWorld(inner, run)]));
}
