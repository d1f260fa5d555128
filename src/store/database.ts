import { closeSync, existsSync, openSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type * as Sqlite from 'node:sqlite';

/** How long one statement may block the process while another one holds the lock, in milliseconds. */
const BLOCK = 50;

/** A store's file, made where it is missing, with every commit on disk before it is answered. @throws SQLite's own errors. */
export function openDatabase(file: string): Sqlite.DatabaseSync {
  // SQLite would make the file with the umask's mode; the WAL and shared-memory files take theirs from it.
  closeSync(openSync(file, 'a', 0o600));
  const database = new (loadSqlite().DatabaseSync)(file);
  try {
    database.exec(
      `PRAGMA busy_timeout = ${BLOCK}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF`,
    );
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/**
 * A store's file for looking at alone: neither made nor changed. Where nobody has it open, SQLite is kept from making its
 * helper files. @throws SQLite's own errors.
 */
export function openDatabaseToRead(file: string): Sqlite.DatabaseSync {
  const url = pathToFileURL(file);
  if (!existsSync(`${file}-wal`)) url.search = 'immutable=1';
  const database = new (loadSqlite().DatabaseSync)(url, { readOnly: true });
  try {
    database.exec(`PRAGMA busy_timeout = ${BLOCK}; PRAGMA trusted_schema = OFF`);
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
}

/** A database that is never on a disk. */
export function openDatabaseInMemory(): Sqlite.DatabaseSync {
  const database = new (loadSqlite().DatabaseSync)(':memory:');
  database.exec('PRAGMA trusted_schema = OFF');
  return database;
}

/** Node 22 warns on stderr that node:sqlite is experimental, each time a process loads it; every other warning passes. */
function loadSqlite(): typeof Sqlite {
  // oxlint-disable-next-line typescript/unbound-method -- put back below as it was, and called on process
  const emit = process.emitWarning;
  process.emitWarning = (...warning: unknown[]) => {
    if (!String(warning[0]).startsWith('SQLite is an experimental feature')) Reflect.apply(emit, process, warning);
  };
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emit;
  }
}
