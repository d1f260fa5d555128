import { z } from 'zod';

import { SELECTORS } from '../core/target.ts';
import { duration } from './fields.ts';

const value = z.string().trim().min(1);
const names = z.array(value).min(1, 'write at least one, or leave the key out');
/** What a target's environment is told by, its upstream aside, which is always told. */
const places = SELECTORS.filter((selector) => selector !== 'upstream');

/** Which arguments of some tools say what a call touches; the first entry that names the tool counts. */
const argumentRule = z.strictObject({
  /** The server's own names of its tools, with `*` for any letters. */
  tools: names,
  /** Arguments that are paths in the workspace. */
  paths: names.optional(),
  /** Arguments that, when given, take the call beyond what the others say: `allNamespaces`. */
  wide: names.optional(),
  ...Object.fromEntries(places.map((selector) => [selector, value.optional()])),
});

const serverRules = z.strictObject({
  /** What is true of every call of this server: `{ kubeContext: prod-eu }`. */
  at: z.partialRecord(z.enum(places), value).default({}),
  arguments: z.array(argumentRule).default([]),
});

/** Other MCP servers: the operator's `mcp.json`, and what of their calls the policy is to see. */
export const upstreams = z.strictObject({
  file: z.string().optional(),
  /** Of one call, from when it is sent. */
  callWithin: duration.default(60_000),
  /** Of a start, to the list of its tools. */
  startWithin: duration.default(30_000),
  /** A server that nothing was asked of for so long is stopped. */
  stopAfter: duration.default(600_000),
  servers: z.record(z.string(), serverRules).default({}),
});

export type UpstreamSettings = z.output<typeof upstreams>;
export type ServerRules = z.output<typeof serverRules>;
/** Besides these keys it has a selector's name for each argument that tells it. */
export type ArgumentRule = z.output<typeof argumentRule>;
