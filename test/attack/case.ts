import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

import { filled } from './server-map.ts';

/**
 * One attack: what is planted, what the agent does, what must not happen, and a twin that is allowed and must work.
 *
 * Texts may name `{secret}` (a value of its own in every run, which may come out nowhere), `{workspace}`, `{outside}` (a folder
 * beside it), `{home}`, `{state}`, `{keys}`, `{trap}` (an address that nobody may call) and `{trapPort}`.
 */
const files = z.record(z.string(), z.string());

const world = z.strictObject({
  /** In the workspace: text, or binary as `base64:…`. */
  files: files.optional(),
  /** Beside the workspace. */
  outside: files.optional(),
  /** In the home directory of Holdpoint's user. */
  home: files.optional(),
  /** Symbolic links of the workspace: path → what it says. */
  links: files.optional(),
  /** Hard links of the workspace: path → the path, from the workspace, of the file that is there already. */
  hardLinks: files.optional(),
  folders: z.array(z.string()).optional(),
  fifos: z.array(z.string()).optional(),
  sockets: z.array(z.string()).optional(),
  remove: z.array(z.string()).optional(),
  /** Program and arguments of git, run in the workspace one after another. */
  git: z.array(z.array(z.string())).optional(),
  /** Configuration of the workspace's repository, set last: name and value. */
  gitConfig: z.array(z.tuple([z.string(), z.string()])).optional(),
});

const input = z.record(z.string(), z.unknown());

/** What an answer may be. `refused`: denied, held, stale or an error. Where a list is given, one of them. */
const STATUS = ['done', 'denied', 'approval_required', 'stale', 'error', 'refused'] as const;
const status = z.union([z.enum(STATUS), z.array(z.enum(STATUS))]);

const expectation = {
  expect: status.optional(),
  /** Regular expression that the answer matches. */ says: z.string().optional(),
};

const step = z.union([
  /** One call of a tool of Holdpoint's. `{id}` is the last approval request's. `as: other`: over another connection, as another principal. */
  z.strictObject({
    call: z.string(),
    input: input.default({}),
    as: z.enum(['other']).optional(),
    times: z.number().default(1),
    ...expectation,
  }),
  /** What to do, in words that every server's map turns into its own tools. */
  z.strictObject({ act: z.string(), with: input.default({}), ...expectation }),
  /** The world moves on. */
  z.strictObject({ change: world }),
  /** A person at the command line: `holdpoint` with these arguments. */
  z.strictObject({
    person: z.array(z.string()),
    code: z.number().optional(),
    says: z.string().optional(),
    /** Regular expression that nothing in what is printed may match. */
    not: z.string().optional(),
  }),
  /** SQL on the store, as somebody who may write its file. */
  z.strictObject({ sql: z.array(z.string()) }),
  /** The deployment's state in the recording cluster, merged: a path of the API → fields. */
  z.strictObject({ cluster: z.record(z.string(), z.unknown()) }),
  /** Several calls at once. */
  z.strictObject({
    together: z.array(z.strictObject({ call: z.string(), input: input.default({}) })),
    done: z.number().optional(),
  }),
  /** Lines as they are, on standard input of a server of its own (stdio), after `initialize`. `\u0000`-style escapes and `hex:`. */
  z.strictObject({ frames: z.array(z.string()), repeat: z.number().default(1), says: z.string().optional() }),
  /** A request as it is, to the HTTP server. `token: true` adds the right bearer. */
  z.strictObject({
    http: z.strictObject({
      method: z.string().default('POST'),
      path: z.string().default('/mcp'),
      headers: z.record(z.string(), z.string()).default({}),
      body: z.string().default(''),
      token: z.boolean().default(true),
    }),
    status: z.array(z.number()).optional(),
    says: z.string().optional(),
  }),
]);
export type Step = z.output<typeof step>;

/** What is looked at in the world afterwards. */
const after = z.strictObject({
  /** Paths of the workspace: their text, `null` for gone. `/…/`: matches. */
  files: z.record(z.string(), z.string().nullable()).optional(),
  /** Paths of the workspace that may be made or changed: the name means this one file, and that is allowed. `.`: all of it. */
  may: z.array(z.string()).optional(),
  /** Regular expressions, one for each changing request that the recording cluster got, in order: `PATCH /apis/…`. */
  cluster: z.array(z.string()).optional(),
  /** The same of the recording GitHub. */
  github: z.array(z.string()).optional(),
  /** Regular expressions of which each matches the argv of a program that ran. */
  ran: z.array(z.string()).optional(),
  /** How many images the recording Engine was sent. */
  builds: z.number().optional(),
  /** How often the trap was called. */
  trap: z.number().optional(),
});
export type After = z.output<typeof after>;

const path = z.strictObject({
  /** The ways to reach a target, which the map turns into tools: read, write, edit, delete, search, list, build, launch. */
  reach: z.array(z.string()),
  with: input,
});

const attack = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  /** CVE or class of THREATS.md. */
  source: z.string(),
  setup: world.optional(),
  /** Settings of the server, as in `holdpoint.yaml`, and environment variables for it. */
  settings: z.record(z.string(), z.unknown()).optional(),
  environment: files.optional(),
  /** Another policy than `devops`: YAML. */
  policy: z.string().optional(),
  transports: z.array(z.enum(['stdio', 'http'])).default(['stdio', 'http']),
  attack: z.union([path, z.array(step)]),
  /** What is allowed to have happened to the world by the attack; nothing where absent. */
  after: after.optional(),
  twin: z.strictObject({
    /** For `reach`: other values, and the ways that are allowed. */
    with: input.optional(),
    reach: z.array(z.string()).optional(),
    steps: z.array(step).optional(),
    after: after.optional(),
    /** Set up anew before the twin; otherwise it goes on with the same server, which shows that it still lives. */
    fresh: z.boolean().default(false),
  }),
});
export type Attack = z.output<typeof attack>;

const file = z.strictObject({ class: z.string(), cases: z.array(z.record(z.string(), z.unknown())) });

/** A case with `each`, a list of values by name, is one case for each: `$name` stands for a value, and `$id` must make the ids differ. */
function variants({ each, ...shared }: Record<string, unknown>): unknown[] {
  if (each === undefined) return [shared];
  return z
    .array(z.record(z.string(), z.unknown()))
    .parse(each)
    .map((own) => filled(shared, own));
}

export interface CaseFile {
  class: string;
  cases: Attack[];
}

/** Every case file, checked. @throws with the file's name where one is wrong, or an id is there twice. */
export function loadCases(folder = join(import.meta.dirname, 'cases')): CaseFile[] {
  const ids = new Set<string>();
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => {
      const parsed = file.safeParse(parse(readFileSync(join(folder, name), 'utf8')));
      if (!parsed.success) throw new Error(`${basename(name)}: ${z.prettifyError(parsed.error)}`);
      const cases = parsed.data.cases.flatMap(variants).map((raw) => {
        const one = attack.safeParse(raw);
        const { id } = raw as { id?: unknown };
        if (!one.success) throw new Error(`${name}: ${String(id)}: ${z.prettifyError(one.error)}`);
        if (ids.has(one.data.id)) throw new Error(`${name}: the id ${one.data.id} is there twice`);
        ids.add(one.data.id);
        return one.data;
      });
      return { class: parsed.data.class, cases };
    });
}
