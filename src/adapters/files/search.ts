import { setImmediate as nextTurn } from 'node:timers/promises';

import { HoldpointError } from '../../core/errors.ts';
import type { FileHandle, RefusedEntry, SearchOptions, SearchResult } from './port.ts';
import { globTest } from './globs.ts';
import { lineTest } from './query.ts';

/** Larger files are not searched; nor is what of a line goes beyond its first characters. */
const MAX_FILE = 4_194_304;
const MAX_LINE = 10_000;
/** What one search takes at most: bytes read, lines that match, milliseconds. */
const MAX_BYTES = 134_217_728;
const MAX_MATCHES = 5000;
const MAX_TIME = 15_000;
/** How long other calls wait for a turn, in milliseconds, and how much of a line is shown. */
const TURN = 30;
const SHOWN = 200;
const PER_FILE = 5;

type Found = { facts: FileHandle } | { refused: RefusedEntry } | { cut: true };

/** Where the files come from: the walk of the real workspace, or a fake's list. */
export interface SearchSource {
  /** Files below a folder, ignored ones left out; `refused` and `cut` as in Listing. */
  files(folder: FileHandle, signal?: AbortSignal): AsyncIterable<Found>;
  read(file: FileHandle, options: { maxBytes: number }): Promise<{ bytes: Uint8Array }>;
}

interface Match {
  path: string;
  line: number;
  text: string;
  score: number;
}

/** Searches file after file, and ranks what it found: best lines first, and of each file only its best. */
export async function search(source: SearchSource, place: FileHandle, options: SearchOptions): Promise<SearchResult> {
  const { query, glob, permits, limit, signal, redact = (text) => text } = options;
  const test = lineTest(query);
  const until = performance.now() + MAX_TIME;
  let lastTurn = performance.now();
  const matches: Match[] = [];
  // Lines with some of the words are of use only while none has the whole, and there may be very many of them.
  const partial: Match[] = [];
  const skipped = { policy: 0, large: 0, binary: 0, refused: 0 };
  let files = 0;
  let bytesRead = 0;
  let cut = false;
  for await (const found of candidates(source, place, glob, signal)) {
    if ('cut' in found) cut = true;
    if ('refused' in found) skipped.refused++;
    if (!('facts' in found) || found.facts.type !== 'file') continue;
    if (!permits(found.facts)) skipped.policy++;
    else if (found.facts.size > MAX_FILE) skipped.large++;
    else {
      if (bytesRead + found.facts.size > MAX_BYTES || matches.length >= MAX_MATCHES || performance.now() > until) {
        cut = true;
        break;
      }
      const bytes = await bytesOf(found.facts);
      bytesRead += bytes?.length ?? 0;
      if (!bytes) skipped.refused++;
      else if (isBinary(bytes)) skipped.binary++;
      else {
        files++;
        cut = (await searchFile(found.facts.path, bytes)) || cut;
      }
    }
  }
  const whole = matches.length > 0;
  return { ...ranked(whole ? matches : partial, limit), whole: whole || partial.length === 0, files, skipped, cut };

  /** Undefined where the file went away or was exchanged since it was found: the search goes on. */
  async function bytesOf(file: FileHandle): Promise<Uint8Array | undefined> {
    try {
      return (await source.read(file, { maxBytes: MAX_FILE })).bytes;
    } catch (error) {
      if (error instanceof HoldpointError) return undefined;
      throw error;
    }
  }

  /** Adds the lines that match; true when it stopped early. */
  async function searchFile(path: string, bytes: Uint8Array): Promise<boolean> {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
    let masked: string[] | undefined;
    for (const [index, line] of content.split('\n').entries()) {
      if (test(line.slice(0, MAX_LINE)).score === 0) continue;
      // Once more on what may be shown: a match must say nothing of what is masked.
      masked ??= redact(content).split('\n');
      const text = masked[index] ?? '';
      const { score, whole } = test(text.slice(0, MAX_LINE));
      if (score > 0 && whole) matches.push({ path, line: index + 1, text, score });
      else if (score >= 0.5 && matches.length === 0 && partial.length < MAX_MATCHES)
        partial.push({ path, line: index + 1, text, score });
      if (performance.now() - lastTurn > TURN) {
        await nextTurn();
        signal?.throwIfAborted();
        lastTurn = performance.now();
        if (lastTurn > until) return true;
      }
      if (matches.length >= MAX_MATCHES) return true;
    }
    return false;
  }
}

/** NUL bytes near the beginning: no text. */
function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 8192).includes(0);
}

async function* candidates(
  source: SearchSource,
  place: FileHandle,
  glob: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Found> {
  const fits = glob === undefined ? () => true : globTest(glob);
  if (place.type !== 'folder') {
    if (fits(place.path)) yield { facts: place };
    return;
  }
  for await (const found of source.files(place, signal)) {
    const path = 'facts' in found ? found.facts.path : 'refused' in found ? found.refused.path : undefined;
    if (path === undefined || fits(path)) yield found;
  }
}

/** The best lines of the best files, each file's in their order. */
function ranked(matches: readonly Match[], limit: number): Pick<SearchResult, 'matches' | 'total'> {
  const byFile = Map.groupBy(matches, (match) => match.path);
  const scored = [...byFile].map(([path, lines]) => {
    const sorted = lines.toSorted((a, b) => b.score - a.score || a.line - b.line);
    const best = sorted.slice(0, Math.max(PER_FILE, Math.ceil(limit / byFile.size)));
    return {
      path,
      best: best.toSorted((a, b) => a.line - b.line),
      score: (sorted[0]?.score ?? 0) + Math.min(lines.length, 10) / 100,
    };
  });
  const ordered = scored.toSorted((a, b) => b.score - a.score || (a.path < b.path ? -1 : 1));
  const best = ordered.flatMap((file) => file.best).slice(0, limit);
  return { matches: best.map(({ path, line, text }) => ({ path, line, text: shorten(text) })), total: matches.length };
}

function shorten(line: string): string {
  const text = line.trim();
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
