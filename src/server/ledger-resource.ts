import { isApprovalId } from '../audit/chain.ts';
import type { LoggedCall, Mark } from '../audit/own-calls.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { principalId } from '../core/principal.ts';
import { bounded, type ResourceSource } from './resources.ts';
import type { Services } from './services.ts';

const ADDRESS = 'holdpoint://ledger';
const TEMPLATE = `${ADDRESS}{?cursor,limit}`;
const PAGE = 50;
const LARGEST = 200;
/** Targets of one call that are named. */
const TARGETS = 5;

/** What the caller itself did, from the audit log: never what others did. */
export function ledgerResource(services: Services): ResourceSource {
  return {
    list: async () => [
      {
        uri: ADDRESS,
        name: 'ledger',
        title: 'What you did',
        description: 'Your own calls, newest first: tool, targets, decision, outcome.',
        mimeType: 'application/json',
      },
    ],
    templates: [
      {
        uriTemplate: TEMPLATE,
        name: 'ledger-page',
        description: 'An earlier page of your own calls: cursor from the page before, limit 1 to 200.',
        mimeType: 'application/json',
      },
    ],
    async read(uri, principal) {
      const asked = pageOf(uri);
      if (!asked) return undefined;
      // As the log has it: a client's name could be what a secret looks like.
      const who = services.redactor.text(principalId(principal));
      const { calls, next } = await services.audit.callsOf(who, asked);
      const earlier = next && `${ADDRESS}?cursor=${cursorOf(next)}&limit=${asked.limit}`;
      return bounded({ calls: calls.map(shown), ...(earlier === undefined ? {} : { earlier }) }, services);
    },
  };
}

/** Undefined for every address that is none of this resource's, a made-up cursor included. */
function pageOf(uri: string): { before?: Mark; limit: number } | undefined {
  if (uri !== ADDRESS && !uri.startsWith(`${ADDRESS}?`)) return undefined;
  const query = new URLSearchParams(uri.slice(ADDRESS.length + 1));
  if ([...query.keys()].some((key) => key !== 'cursor' && key !== 'limit')) return undefined;
  const limit = Number(query.get('limit') ?? PAGE);
  if (!Number.isInteger(limit) || limit < 1 || limit > LARGEST) return undefined;
  const cursor = query.get('cursor');
  if (cursor === null) return { limit };
  const [, time = '', writer = '', seq = ''] =
    /^(\d{4}-[0-9T:.-]{5,20}Z) ([\w-]{1,80}) (\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  return time === '' ? undefined : { before: { time, writer, seq: Number(seq) }, limit };
}

function cursorOf({ time, writer, seq }: Mark): string {
  return Buffer.from(`${time} ${writer} ${seq}`).toString('base64url');
}

function shown({ id, time, received, opened, closed }: LoggedCall): JsonObject {
  const targets = Array.isArray(opened?.['targets']) ? opened['targets'] : [];
  const count = opened?.['targetCount'];
  return {
    call: id,
    time,
    tool: opened?.['tool'] ?? received['tool'] ?? null,
    ...(targets.length > 0 ? { targets: targets.slice(0, TARGETS).map(idOf) } : {}),
    ...(typeof count === 'number' && count > TARGETS ? { moreTargets: count - TARGETS } : {}),
    ...picked(opened, ['verdict', 'environment', 'rules', 'summary']),
    ...picked(closed, ['status', 'code', 'reason', 'ms']),
    ...(isApprovalId(closed?.['approval']) ? { approval: closed['approval'] } : {}),
  };
}

function idOf(target: Json): Json {
  return isJsonObject(target) ? (target['id'] ?? null) : target;
}

function picked(from: JsonObject | undefined, keys: readonly string[]): JsonObject {
  return Object.fromEntries(keys.flatMap((key) => (from?.[key] === undefined ? [] : [[key, from[key]]])));
}
