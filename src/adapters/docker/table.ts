import { fitting } from '../../core/fitting.ts';
import { maskedLine } from './output.ts';

/** Lists in results: small in JSON, and readable as text. */
export interface Table {
  columns: string[];
  rows: string[][];
}

/** Of the rows as JSON, in bytes. */
const ROOM = 5000;
const MAX_CELL = 160;

/**
 * The first rows, as many as there is room for, with the cells as data: masked, then bounded, no control characters.
 *
 * @returns the table and how many of its rows were left out.
 */
export function boundedTable(
  { columns, rows }: Table,
  limit: number,
  redact: (text: string) => string,
): { table: Table; leftOut: number } {
  const cells = rows.slice(0, limit).map((row) => row.map((cell) => maskedLine(cell, redact, MAX_CELL)));
  const count = fitting(
    cells.map((row) => JSON.stringify(row)),
    ROOM,
  ).length;
  return { table: { columns, rows: cells.slice(0, count) }, leftOut: rows.length - count };
}

/** One line a row; a first one with the columns' names. */
export function tableText({ columns, rows }: Table): string[] {
  // A column in which nothing stands says nothing.
  const filled = columns.map((_column, index) => rows.some((row) => row[index] !== ''));
  return [columns, ...rows].map((row) =>
    row
      .filter((_cell, index) => filled[index])
      .map((cell) => cell || '-')
      .join('  '),
  );
}

/** 1000-based, as Docker's own. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** unit;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)}${units[unit]}`;
}

/** Whole units: `45s`, `12m`, `5h`, `3d`. */
export function ageText(seconds: number): string {
  const age = Math.max(0, Math.floor(seconds));
  if (age < 120) return `${age}s`;
  if (age < 7200) return `${Math.floor(age / 60)}m`;
  return age < 172_800 ? `${Math.floor(age / 3600)}h` : `${Math.floor(age / 86_400)}d`;
}
