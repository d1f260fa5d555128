import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

/** One tool call that does what an action's name says. `$name` stands for the action's values, `$absolute` for the path from the root. */
const way = z.strictObject({
  tool: z.string(),
  input: z.record(z.string(), z.unknown()),
  /** How a twin that is allowed shows that it worked; where absent, by being no error. */
  works: z
    .strictObject({
      status: z.enum(['done', 'approval_required']).optional(),
      says: z.string().optional(),
      /** The workspace's file at `$path` holds this afterwards. */
      holds: z.string().optional(),
      /** This is in the context that the Engine was sent. */
      sent: z.string().optional(),
    })
    .default({}),
});
export type Way = z.output<typeof way>;

/** How another server is driven with the same cases: what each action of the cases is in its tools. */
const serverMap = z.strictObject({
  name: z.string(),
  command: z.array(z.string()),
  /** Words added for each transport that the server has. */
  transports: z.strictObject({ stdio: z.array(z.string()).optional(), http: z.array(z.string()).optional() }),
  environment: z.record(z.string(), z.string()).default({}),
  /** Whether the recording programs stand before the machine's own on its PATH; a server that is a layer over kubectl needs the real one. */
  recordingPrograms: z.boolean().default(true),
  /** Holdpoint's own answers say what became of a call; another server's are told by the world alone. */
  envelope: z.boolean().default(false),
  actions: z.record(z.string(), z.array(way)),
});
export type ServerMap = z.output<typeof serverMap>;

export function loadMap(file: string): ServerMap {
  const parsed = serverMap.safeParse(parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** A way's input with the action's values in it. A text that is one name alone takes the value's own type. */
export function filled(value: unknown, values: Readonly<Record<string, unknown>>): unknown {
  if (typeof value === 'string') {
    const alone = /^\$(\w+)$/.exec(value)?.[1];
    if (alone !== undefined && alone in values) return values[alone];
    return value.replace(/\$(\w+)/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
  }
  if (Array.isArray(value)) return value.map((each) => filled(each, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [filled(key, values), filled(inner, values)]));
}
