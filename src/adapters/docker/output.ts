import { stripVTControlCharacters } from 'node:util';

import { cutAtWord } from '../../core/cut.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { BuildUpdate } from './build.ts';
import { readStatus } from './buildkit.ts';

const MAX_LINE = 200;
const LAST_LINES = 15;

/** One event of a build's stream, of either builder. */
export interface BuildEvent {
  id?: string;
  stream?: string;
  error?: string;
  errorDetail?: { message?: string };
  /** The image's id, or BuildKit's trace. */
  aux?: { ID?: string } | string;
}

/** Follows a build's output: counts steps, keeps the last lines, finds the image's id. */
export function readOutput(report: (update: BuildUpdate) => void) {
  /** Stage → how many steps it has. */
  const totals = new Map<string, number>();
  const begun = new Set<string>();
  const cached = new Set<string>();
  const last: string[] = [];
  let current = '';
  let id: string | undefined;
  let failure: string | undefined;

  const known = () => [...totals.values()].reduce((sum, count) => sum + count, 0);

  /** The classic builder says `Step 2/4 : …`, BuildKit `[2/4] …` or `[stage 2/4] …`. */
  function step(name: string): void {
    const [, stage = '', total] = /^(?:Step |\[(?:(\S+) +)?)\d+\/(\d+)(?:\]| :) /.exec(name) ?? [];
    if (total === undefined || begun.has(name)) return;
    totals.set(stage, Number(total));
    begun.add(name);
    current = name;
    report({ message: name, done: begun.size, total: known() });
  }

  function keep(text: string): void {
    for (const line of text.split(/\r?\n/).map((each) => shown(each))) {
      if (line === '') continue;
      step(line);
      if (line === '---> Using cache') cached.add(current);
      last.push(line);
      if (last.length > LAST_LINES) last.shift();
    }
  }

  function trace(base64: string): void {
    const { vertexes, logs } = readStatus(base64);
    for (const vertex of vertexes) {
      const name = shown(vertex.name);
      if (vertex.started || vertex.cached) step(name);
      if (vertex.cached && begun.has(name)) cached.add(name);
      if (vertex.error !== '' && begun.has(name)) current = name;
    }
    for (const log of logs) keep(log);
  }

  return {
    take(event: BuildEvent): void {
      if (typeof event.aux === 'string') {
        if (event.id === 'moby.buildkit.trace') trace(event.aux);
      } else if (event.aux?.ID !== undefined) id = event.aux.ID;
      if (event.error !== undefined) failure = shown(event.errorDetail?.message ?? event.error);
      keep(event.stream ?? '');
    },
    /** @throws HoldpointError `upstream` for a build that failed or gave no image. */
    end(): { id: string; steps: number; cached: number } {
      if (failure !== undefined || id === undefined)
        throw failed(failure ?? 'it ended without an image', current, last);
      return { id, steps: known(), cached: cached.size };
    },
  };
}

function failed(why: string, step: string, last: readonly string[]): HoldpointError {
  const where = step === '' ? 'The build failed' : `The build failed at ${JSON.stringify(step)}`;
  const lines = last.map((text) => `  | ${text}`).join('\n');
  return new HoldpointError(
    'upstream',
    `${where}: ${JSON.stringify(why)}.${lines === '' ? '' : ` Its last lines:\n${lines}`}`,
    {
      hint: 'Correct the Dockerfile or the files it uses, then build again.',
    },
  );
}

/** As `shown`, and masked: where a secret stands as it is, and where it had control characters inside. */
export function maskedLine(text: string, mask: (text: string) => string, max: number): string {
  return shown(mask(shown(mask(text), Number.POSITIVE_INFINITY)), max);
}

/** A line of output as data: no control or bidirectional characters, bounded. */
function shown(text: string, max = MAX_LINE): string {
  const plain = stripVTControlCharacters(text)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return plain.length <= max ? plain : `${cutAtWord(plain, max)}…`;
}
