import { openDatabaseInMemory } from '../../store/database.ts';

/** What is searched of a memory. */
interface Searched {
  name: string;
  title: string;
  tags: string;
  body: string;
}

interface FoundText {
  name: string;
  /** Where the words are, with what is around them. */
  snippet: string;
}

export interface FullText {
  /** What a memory was indexed as; undefined where it is not. */
  version(name: string): string | undefined;
  set(text: Searched, version: string): void;
  /** Takes away all that are not among these. */
  keep(names: ReadonlySet<string>): void;
  /** Best first. Empty where the query has no word. */
  search(query: string): FoundText[];
}

/** Title before tags before text, as weights of FTS5's bm25. */
const WEIGHTS = '8.0, 4.0, 1.0';
const MAX_WORDS = 24;
const SNIPPET_WORDS = 24;

/** An index in memory, made of what it is given: SQLite's FTS5 with Porter's stemmer, for this process alone. */
export function createFullText(): FullText {
  const database = openDatabaseInMemory();
  database.exec(`CREATE VIRTUAL TABLE texts USING fts5(title, tags, body, tokenize = 'porter unicode61')`);
  const insert = database.prepare('INSERT INTO texts (rowid, title, tags, body) VALUES (?, ?, ?, ?)');
  const remove = database.prepare('DELETE FROM texts WHERE rowid = ?');
  const match = database.prepare(
    `SELECT rowid AS id, snippet(texts, 2, '', '', ' … ', ${SNIPPET_WORDS}) AS snippet FROM texts
     WHERE texts MATCH ? ORDER BY bm25(texts, ${WEIGHTS}), rowid`,
  );
  const rows = new Map<string, { id: number; version: string }>();
  const names = new Map<number, string>();
  let ids = 0;

  function drop(name: string): void {
    const row = rows.get(name);
    if (!row) return;
    remove.run(row.id);
    rows.delete(name);
    names.delete(row.id);
  }

  function matching(query: string): FoundText[] {
    const found = match.all(query) as { id: number; snippet: string }[];
    return found.map(({ id, snippet }) => ({
      name: names.get(id) ?? '',
      snippet: snippet.replaceAll(/\s+/g, ' ').trim(),
    }));
  }

  return {
    version: (name) => rows.get(name)?.version,
    set({ name, title, tags, body }, version) {
      drop(name);
      const id = ++ids;
      insert.run(id, title, tags, body);
      rows.set(name, { id, version });
      names.set(id, name);
    },
    keep(wanted) {
      for (const name of rows.keys()) if (!wanted.has(name)) drop(name);
    },
    search(query) {
      const words = wordsOf(query);
      if (words.length === 0) return [];
      const whole = matching(words.join(' AND '));
      return whole.length > 0 || words.length === 1 ? whole : matching(words.join(' OR '));
    },
  };
}

/**
 * A query's words as FTS5 strings: letters and digits alone between quotes, so that nothing in a query is syntax. Each also
 * finds words that begin so.
 */
export function wordsOf(query: string): string[] {
  const words = query.toWellFormed().match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? [];
  return [...new Set(words)].slice(0, MAX_WORDS).map((word) => `"${word}"*`);
}
