import type { ErrorObject, ValidateFunction } from 'ajv';
import { RE2JS } from 're2js';

import { HoldpointError } from '../../core/errors.ts';
import { quoted } from '../../core/foreign.ts';
import type { JsonObject } from '../../core/json.ts';
import type { UpstreamTool } from './definition.ts';
import { DRAFT_7 } from './schema.ts';

/** Compiled once for each definition. */
const checks = new Map<string, ValidateFunction>();

/**
 * Holds a call's arguments to what its tool was accepted with, before anything is sent.
 *
 * @throws HoldpointError `invalid_input` that names each wrong argument.
 */
export async function checkArguments(tool: UpstreamTool, input: JsonObject): Promise<void> {
  const check = checks.get(tool.hash) ?? (await compile(tool));
  checks.set(tool.hash, check);
  if (check(input)) return;
  const problems = (check.errors ?? []).slice(0, 5).map(inWords);
  const known = Object.keys((tool.arguments['properties'] ?? {}) as object);
  throw new HoldpointError('invalid_input', `${[...new Set(problems)].join('. ')}.`, {
    hint: `${tool.name} takes: ${known.map((name) => quoted(name, 60)).join(', ') || 'nothing'}.`,
  });
}

async function compile({ name, arguments: schema }: UpstreamTool): Promise<ValidateFunction> {
  const { Ajv } = await (schema['$schema'] === DRAFT_7 ? import('ajv') : ajv2020());
  const options = {
    strict: false,
    validateFormats: false,
    inlineRefs: false,
    ownProperties: true,
    allErrors: false,
    logger: false as const,
    code: { regExp },
  };
  try {
    return new Ajv(options).compile(schema);
  } catch (cause) {
    throw new HoldpointError('denied', `The schema of ${name} cannot be checked, so nothing is sent to it.`, {
      rule: 'upstreams',
      hint: 'A person can look at it with "holdpoint upstream test".',
      cause,
    });
  }
}

async function ajv2020() {
  const { Ajv2020 } = await import('ajv/dist/2020.js');
  return { Ajv: Ajv2020 };
}

/**
 * Patterns of others in linear time. One that this engine does not know (it looks around itself) is left to the server, which
 * has it too.
 */
const regExp = Object.assign(
  (pattern: string) => {
    // The checker knows patterns apart by this text.
    const toString = () => `/${pattern}/`;
    try {
      const compiled = RE2JS.compile(pattern);
      return { test: (text: string) => compiled.matcher(text).find(), toString };
    } catch {
      return { test: () => true, toString };
    }
  },
  { code: 'undefined' },
);

function inWords({ instancePath, message = 'is wrong', params, keyword }: ErrorObject): string {
  const at = instancePath === '' ? 'the arguments' : quoted(instancePath.slice(1).replaceAll('/', '.'), 100);
  const named = (params as Record<string, unknown>)['additionalProperty'];
  if (keyword === 'additionalProperties' && typeof named === 'string')
    return `${at}: ${quoted(named, 60)} is no argument`;
  const allowed = (params as Record<string, unknown>)['allowedValues'];
  return `${at} ${quotedMessage(message)}${Array.isArray(allowed) ? `: ${quoted(JSON.stringify(allowed), 200)}` : ''}`;
}

/** The checker's own words, with names of the server's schema in them. */
function quotedMessage(message: string): string {
  return message.replaceAll(/'([^']*)'/g, (_whole, name: string) => quoted(name, 60));
}
