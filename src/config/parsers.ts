import { config } from 'zod';

/**
 * Lets zod's parsers run as they are: compiling each costs a tenth of the start and is no faster for what is parsed a few
 * times, nor does code made of text belong here. To be called before any schema is made.
 */
export function interpretParsers(): void {
  config({ jitless: true });
}
