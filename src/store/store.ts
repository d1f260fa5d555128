/** What a column can hold. Times are milliseconds since 1970; JSON and encrypted bytes are text. */
export type SqlValue = string | number | null;

/** Where statements run: the store itself, or one open transaction. */
export interface Session {
  /** Runs one statement with `?` for each parameter and returns its rows; a write returns rows where it says RETURNING. */
  query: <R extends object = Record<string, SqlValue>>(sql: string, parameters?: readonly SqlValue[]) => Promise<R[]>;
}

/**
 * SQL behind an async interface. Statements keep to what SQLite and PostgreSQL share. Several processes may have the same
 * store open.
 */
export interface Store extends Session {
  /**
   * Runs `work` in one write transaction: all of it is on disk when the promise resolves, none of it when it rejects. One
   * transaction runs at a time; inside, use the given session alone (the store itself would wait for its own end).
   *
   * @throws HoldpointError `unavailable` where the store stays busy, is full or cannot be written; else what `work` threw.
   */
  transaction: <T>(work: (session: Session) => Promise<T>) => Promise<T>;
  close: () => Promise<void>;
}
