/** Text that an agent or another system wrote, made safe for a terminal. */
export { plain, plainLine } from '../core/foreign.ts';
