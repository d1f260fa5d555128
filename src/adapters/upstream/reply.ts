import type { Json, JsonObject } from '../../core/json.ts';
import { plain } from '../../core/foreign.ts';
import type { ReplyPart, UpstreamReply } from './port.ts';

/** Of a reply: parts, letters of all texts together, levels of structured content, and values in it. */
const PARTS = 200;
const LETTERS = 1_048_576;
const LEVELS = 24;
const VALUES = 20_000;

/** Whatever a server sent as a result, as bounded data: texts with nothing hidden in them, everything else as facts about it. */
export function replyOf(content: readonly unknown[], structured: unknown): UpstreamReply {
  const room = { letters: LETTERS, values: VALUES };
  const parts = content.slice(0, PARTS).map((part) => partOf(part as Record<string, unknown>, room));
  if (content.length > PARTS) parts.push({ text: `… ${content.length - PARTS} more parts are left out` });
  return {
    content: parts,
    ...(isObject(structured) ? { structured: bounded(structured, 0, room) as JsonObject } : {}),
  };
}

/** The texts of a reply in one, for saying what went wrong. */
export function textOf({ content }: UpstreamReply): string {
  return content
    .map((part) => ('text' in part ? (part.text ?? '') : ''))
    .filter(Boolean)
    .join('\n');
}

type Room = { letters: number; values: number };

function partOf(part: Record<string, unknown>, room: Room): ReplyPart {
  switch (part['type']) {
    case 'text':
      return { text: text(part['text'], room) };
    case 'image':
      return { image: kind(part), bytes: bytesOf(part['data']) };
    case 'audio':
      return { audio: kind(part), bytes: bytesOf(part['data']) };
    case 'resource_link':
      return { resource: address(part), type: kind(part) };
    case 'resource': {
      const inner = isObject(part['resource']) ? part['resource'] : {};
      const said = 'text' in inner ? { text: text(inner['text'], room) } : { bytes: bytesOf(inner['blob']) };
      return { resource: address(inner), type: kind(inner), ...said };
    }
    default:
      return { text: '(a part of a sort that is not known)' };
  }
}

function address({ uri }: Record<string, unknown>): string {
  return plain(typeof uri === 'string' ? uri : '').slice(0, 300);
}

function kind({ mimeType }: Record<string, unknown>): string {
  return typeof mimeType === 'string' && /^[\w.+/-]{1,80}$/.test(mimeType) ? mimeType : 'unknown';
}

/** Of base64. */
function bytesOf(data: unknown): number {
  return typeof data === 'string' ? Math.floor((data.length * 3) / 4) : 0;
}

function text(value: unknown, room: Room): string {
  if (typeof value !== 'string') return '';
  const shown = plain(value.slice(0, room.letters).replaceAll('\r\n', '\n'));
  const left = value.length - room.letters;
  room.letters = Math.max(0, room.letters - value.length);
  return left > 0 ? `${shown}\n… ${left} letters are left out` : shown;
}

function bounded(value: unknown, level: number, room: Room): Json {
  if (--room.values < 0 || level > LEVELS) return '(left out)';
  if (typeof value === 'string') return text(value, room);
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.slice(0, VALUES).map((each) => bounded(each, level + 1, room));
  if (!isObject(value)) return null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__proto__')
      .map(([key, each]) => [plain(key).slice(0, 200), bounded(each, level + 1, room)]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
