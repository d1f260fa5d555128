import { z } from 'zod';

import {
  boundedTable,
  containerDetails,
  containerTable,
  diskTable,
  engineTarget,
  eventName,
  eventTable,
  found,
  imageName,
  imageTable,
  inOrder,
  isExec,
  logText,
  lookTargets,
  maskOf,
  statsTable,
  tableText,
} from '../../adapters/docker/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import { defineTool } from '../../core/tool.ts';

const SHOWS = ['containers', 'images', 'logs', 'inspect', 'stats', 'events', 'disk'] as const;
type Show = (typeof SHOWS)[number];

/** Rows; lines of a log. */
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;
const DEFAULT_LINES = 50;
const MAX_LINES = 500;
/** Seconds, of events. */
const DEFAULT_LOOK_BACK = 900;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 };
const NAME = /^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$/;

/** What each look takes beside `show`; anything else would be ignored, and is refused. */
const TAKES: Record<Show, readonly ('name' | 'since' | 'all' | 'limit')[]> = {
  containers: ['name', 'all', 'limit'],
  images: ['name', 'limit'],
  logs: ['name', 'since', 'limit'],
  inspect: ['name'],
  stats: ['name', 'limit'],
  events: ['name', 'since', 'limit'],
  disk: [],
};

const input = z.strictObject({
  show: z.enum(SHOWS),
  name: z
    .string()
    .refine((name) => NAME.test(name), 'This is no name or id of a container or image.')
    .optional(),
  since: z
    .string()
    .refine((since) => /^[1-9]\d{0,4}[smhd]$/.test(since), 'Write how long ago, such as 15m.')
    .optional(),
  all: z.boolean().optional(),
  limit: z
    .int()
    .refine((limit) => limit > 0 && limit <= MAX_LINES, `Between 1 and ${MAX_LINES}.`)
    .optional(),
});

export default defineTool({
  name: 'docker-get',
  title: 'Look at Docker',
  description: 'Look at Docker; failed containers first.',
  keywords: [
    'ps',
    'image',
    'health',
    'describe',
    'container log',
    'exit code',
    'oom',
    'crash',
    'unhealthy',
    'restart',
    'memory',
    'cpu',
    'prune',
  ],
  effect: 'read',
  needs: ['docker'],
  input,
  output: z.strictObject({
    /** The container or image that it is about. */
    name: z.string().optional(),
    table: z.strictObject({ columns: z.array(z.string()), rows: z.array(z.array(z.string())) }).optional(),
    details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])).optional(),
    logs: z.string().optional(),
    /** What is not shown, and how to see it. */
    note: z.string().optional(),
  }),

  targets: (written, { facts }) => lookTargets(written, facts),

  async plan(written, context) {
    const { show, name } = written;
    for (const key of ['name', 'since', 'all', 'limit'] as const) {
      if (written[key] === undefined || TAKES[show].includes(key)) continue;
      throw new HoldpointError('invalid_input', `${show} takes no ${key}.`, {
        hint: `Beside show it takes ${TAKES[show].join(', ') || 'nothing'}.`,
      });
    }
    if (written.limit !== undefined && written.limit > MAX_LIMIT && show !== 'logs') {
      throw new HoldpointError('invalid_input', `${show} shows at most ${MAX_LIMIT}.`, { hint: 'Lower limit.' });
    }
    if (name === undefined && (show === 'logs' || show === 'inspect')) {
      throw new HoldpointError('invalid_input', `${show} is of one container.`, { hint: 'Give its name.' });
    }
    const named = name === undefined ? null : await found(show === 'images' ? 'image' : 'container', name, context);
    return {
      effect: 'read',
      targets: [...lookTargets(written, context.facts), ...(named?.targets ?? [])],
      preconditions: [],
      steps: [],
      preview: { summary: `look at ${show}${named === null ? '' : ` of ${named.name}`}` },
      data: {
        show,
        id: named?.id ?? null,
        name: named?.name ?? null,
        lookBack: written.since === undefined ? null : secondsOf(written.since),
        all: written.all ?? false,
        limit: written.limit ?? (show === 'logs' ? DEFAULT_LINES : DEFAULT_LIMIT),
      },
    };
  },

  async run({ data: { show, id, name, lookBack, all, limit } }, context) {
    const { docker, redact } = context;
    const head = name === null ? {} : { name };
    if (show === 'disk') return { table: diskTable(await docker.disk(context)) };
    if (show === 'events') {
      const about = id === null ? null : { kind: 'container' as const, id };
      const events = await docker.events(about, lookBack ?? DEFAULT_LOOK_BACK, context);
      const seen = events.filter((event) =>
        context.permits(engineTarget(event.Type === 'image' ? 'image' : 'container', eventName(event), context.facts)),
      );
      const told = seen.filter((event) => !isExec(event));
      const { table, leftOut } = boundedTable(eventTable(told, Date.now() / 1000), limit, redact);
      return {
        ...head,
        table,
        ...noted(
          leftOut > 0 && `${leftOut} older ones: raise limit.`,
          seen.length > told.length && `${seen.length - told.length} of programs run inside (exec) not shown.`,
          hidden(events.length - seen.length),
        ),
      };
    }
    if (id !== null && (show === 'logs' || show === 'inspect')) {
      const container = await docker.inspect(id, context);
      if (show === 'inspect') return { ...head, details: containerDetails(container, redact) };
      const written = await docker.logs(container, limit, lookBack, context);
      const { text, leftOut } = logText(written, maskOf(container, redact));
      return {
        ...head,
        logs: text,
        ...noted(
          written.length === 0 && 'It wrote nothing.',
          leftOut > 0 && `${leftOut} earlier lines do not fit.`,
          written.length >= limit && limit < MAX_LINES && 'There may be earlier ones: raise limit.',
        ),
      };
    }

    const every = await docker.containers(context);
    const containers = every.filter((container) =>
      context.permits(engineTarget('container', container.name, context.facts)),
    );
    const unseen = hidden(every.length - containers.length);
    if (show === 'images') {
      const list = (await docker.imageList(context)).filter((image) => id === null || image.id === id);
      const images = list.filter((image) =>
        [imageName(image), ...image.tags].every((tag) => context.permits(engineTarget('image', tag, context.facts))),
      );
      const { table, leftOut } = boundedTable(imageTable(images, containers, Date.now() / 1000), limit, redact);
      return {
        ...head,
        table,
        ...noted(leftOut > 0 && `${leftOut} more: raise limit.`, hidden(list.length - images.length)),
      };
    }
    const chosen = containers.filter((container) => id === null || container.id === id);
    if (show === 'stats') {
      const running = chosen.filter(({ state }) => state === 'running');
      if (id !== null && running.length === 0) {
        throw new HoldpointError('conflict', `${name} does not run.`, { hint: 'Show its logs, or inspect it.' });
      }
      const measured = running.slice(0, limit);
      const stats = await docker.statsOf(
        measured.map((container) => container.id),
        context,
      );
      const { table, leftOut } = boundedTable(statsTable(measured, stats), limit, redact);
      const more = leftOut + running.length - measured.length;
      return { ...head, table, ...noted(more > 0 && `${more} more: raise limit, or name one.`, unseen) };
    }
    const listed = inOrder(chosen, all || id !== null);
    const first = listed.slice(0, limit);
    const inspected = await docker.inspectAll(
      first.map((container) => container.id),
      context,
    );
    const { table, leftOut } = boundedTable(containerTable(first, inspected), limit, redact);
    const more = leftOut + listed.length - first.length;
    return {
      ...head,
      table,
      ...noted(
        more > 0 && `${more} more: raise limit, or name one.`,
        chosen.length > listed.length && `${chosen.length - listed.length} stopped without an error: all shows them.`,
        unseen,
      ),
    };
  },

  render({ name, table, details, logs, note }) {
    const lines: string[] = name !== undefined && table === undefined ? [name] : [];
    if (table) lines.push(...(table.rows.length === 0 ? ['none'] : tableText(table)));
    for (const [key, value] of Object.entries(details ?? {})) {
      lines.push(`${key}: ${Array.isArray(value) ? value.join('; ') : String(value)}`);
    }
    if (logs !== undefined && logs !== '') lines.push(logs);
    return [...lines, ...(note === undefined ? [] : [note])].join('\n');
  },
});

function secondsOf(since: string): number {
  const unit = SECONDS[since.at(-1) as keyof typeof SECONDS];
  return Number(since.slice(0, -1)) * unit;
}

function hidden(count: number): string | false {
  return count > 0 && `${count} not shown by policy.`;
}

function noted(...parts: (string | false)[]): { note?: string } {
  const said = parts.filter((part) => part !== false);
  return said.length === 0 ? {} : { note: said.join(' ') };
}
