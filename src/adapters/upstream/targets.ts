import { isAbsolute, join, relative } from 'node:path';

import type { ArgumentRule, ServerRules } from '../../config/upstreams.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { fileTarget, viewTarget, workspacePath } from '../../core/paths.ts';
import { SELECTORS, type Target } from '../../core/target.ts';
import type { UpstreamTool } from './definition.ts';

/** Targets of one call. */
const MOST = 50;

/** Which of the operator's entries is for a tool: the first that names it. */
function ruleFor(rules: ServerRules | undefined, tool: string): ArgumentRule | undefined {
  return rules?.arguments.find(({ tools }) => tools.some((pattern) => isLike(pattern, tool)));
}

/** `*` is any letters; nothing else is special. */
function isLike(pattern: string, name: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(name);
}

/**
 * What a call touches: the tool itself, where the operator's settings and the arguments say that it is; one target for each
 * value where an argument is a list. An argument that is missing, or a `wide` one that is given, leaves the place untold.
 */
export function callTargets(tool: UpstreamTool, rules: ServerRules | undefined, input: JsonObject): Target[] {
  const base: Target = { kind: 'upstream', id: tool.name, resource: tool.server, effect: tool.effect };
  const rule = ruleFor(rules, tool.tool);
  const isWide = (rule?.wide ?? []).some((name) => isGiven(own(input, name)));
  let places: NonNullable<Target['at']>[] = [{ ...rules?.at, upstream: tool.server }];
  for (const selector of isWide ? [] : SELECTORS) {
    const name = (rule as Record<string, unknown> | undefined)?.[selector];
    if (typeof name !== 'string') continue;
    const values = strings(own(input, name));
    if (values.length === 0) continue;
    places = values.flatMap((value) => places.map((at) => ({ ...at, [selector]: value })));
    if (places.length > MOST) throw tooMany(tool);
  }
  return places.map((at) => ({ ...base, at }));
}

/** A path among the arguments: from the workspace, and where it stands. */
export interface PathArgument {
  name: string;
  path: string;
  /** Of a list. */
  index?: number;
}

/**
 * The arguments that the operator's settings say are paths in the workspace. Relative ones are from the workspace, whatever the
 * server would make of them.
 *
 * @throws HoldpointError `denied` for a path that leads out of the workspace, `invalid_input` for what is no path.
 */
export function pathArguments(
  tool: UpstreamTool,
  rules: ServerRules | undefined,
  input: JsonObject,
  workspace: string,
): PathArgument[] {
  const found = (ruleFor(rules, tool.tool)?.paths ?? []).flatMap((name): PathArgument[] => {
    const value = own(input, name);
    if (value === undefined) return [];
    if (Array.isArray(value)) return value.map((each, index) => ({ name, index, path: pathOf(name, each, workspace) }));
    return [{ name, path: pathOf(name, value, workspace) }];
  });
  if (found.length > MOST) throw tooMany(tool);
  return found;
}

/** What is known of the paths before looking: a name without an extension may be a folder's, where it is only read. */
export function pathTargets({ effect }: UpstreamTool, paths: readonly PathArgument[]): Target[] {
  return paths.map(({ path }) => (effect === 'read' ? viewTarget(path) : fileTarget(path, effect)));
}

/** The arguments as they are sent: every path absolute, so that the server cannot take it from somewhere else. */
export function withPaths(input: JsonObject, paths: readonly PathArgument[], workspace: string): JsonObject {
  const sent = { ...input };
  for (const { name, path, index } of paths) {
    const absolute = path === '.' ? workspace : join(workspace, path);
    const before = sent[name];
    sent[name] =
      index === undefined || !Array.isArray(before)
        ? absolute
        : before.map((each, at) => (at === index ? absolute : each));
  }
  return sent;
}

function pathOf(name: string, value: Json, workspace: string): string {
  if (typeof value !== 'string')
    throw new HoldpointError('invalid_input', `"${name}" is no path.`, { hint: 'Write a path in the workspace.' });
  return workspacePath(isAbsolute(value) ? fromWorkspace(value, workspace) : value);
}

function fromWorkspace(path: string, workspace: string): string {
  const rest = relative(workspace, path);
  // `relative` would take back what `..` and `//` say; what is left of it is checked as any path.
  return path === workspace || path.startsWith(`${workspace}/`) ? rest || '.' : path;
}

function own(input: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(input, name) ? input[name] : undefined;
}

function isGiven(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== false && value !== '' && value !== 'false';
}

function strings(value: Json | undefined): string[] {
  const all = Array.isArray(value) ? value : [value];
  const written = all.filter((each): each is string => typeof each === 'string' && each !== '');
  // What cannot be read leaves the place untold.
  return written.length === all.length ? [...new Set(written)] : [];
}

function tooMany({ name }: UpstreamTool): HoldpointError {
  return new HoldpointError('invalid_input', `A call of ${name} names more than ${MOST} things that it touches.`, {
    hint: 'Make several calls.',
  });
}
