import type { ProgramGrammar } from '../core/programs.ts';
import type { ToolCard } from '../core/tool.ts';
import type { PreparedPolicy } from '../policy/load.ts';

/**
 * What the build works out ahead, so that starting need not: parsed files by the SHA-256 of their text, so that it holds for
 * exactly these bytes. In a clone there is nothing of it, and every file is read as any other.
 */
export interface Prepared {
  policies: Readonly<Record<string, PreparedPolicy>>;
  personas: Readonly<Record<string, unknown>>;
  checklists: Readonly<Record<string, unknown>>;
  calendars: Readonly<Record<string, unknown>>;
  programs: Readonly<Record<string, ProgramGrammar>> | undefined;
  tools: Readonly<Record<string, ToolCard>>;
}

// The build puts another value here.
export const prepared: Prepared = {
  policies: {},
  personas: {},
  checklists: {},
  calendars: {},
  programs: undefined,
  tools: {},
};
