import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';

/** A strategic merge patch, as far as rollouts need it: objects merge, lists of named things merge by name. */
export function strategicMerge(target: Json | undefined, patch: Json): Json {
  if (isJsonObject(patch)) {
    const base = isJsonObject(target) && patch.$patch !== 'replace' ? { ...target } : {};
    for (const [key, value] of Object.entries(patch)) {
      if (key === '$patch') continue;
      if (value === null) delete base[key];
      else base[key] = strategicMerge(base[key], value);
    }
    return base;
  }
  if (Array.isArray(patch) && Array.isArray(target) && [...patch, ...target].every(isNamed)) {
    const merged = target.map((item) => {
      const change = patch.find((wanted) => isJsonObject(wanted) && isJsonObject(item) && wanted.name === item.name);
      return change === undefined ? item : strategicMerge(item, change);
    });
    return [
      ...merged,
      ...patch.filter(
        (wanted) => !target.some((item) => isJsonObject(item) && isJsonObject(wanted) && item.name === wanted.name),
      ),
    ];
  }
  return patch;
}

/** A JSON patch of `add`, `replace` and `remove` on objects. */
export function jsonPatch(target: JsonObject, operations: Json): JsonObject {
  const result = structuredClone(target);
  for (const operation of Array.isArray(operations) ? operations : []) {
    if (!isJsonObject(operation) || typeof operation.path !== 'string') continue;
    const parts = operation.path
      .slice(1)
      .split('/')
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = parts.pop() ?? '';
    const parent = parts.reduce<Json | undefined>((at, part) => (isJsonObject(at) ? at[part] : undefined), result);
    if (!isJsonObject(parent)) continue;
    if (operation.op === 'remove') delete parent[last];
    else parent[last] = operation.value ?? null;
  }
  return result;
}

function isNamed(value: Json): boolean {
  return isJsonObject(value) && typeof value.name === 'string';
}
