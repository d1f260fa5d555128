import { readFileSync } from 'node:fs';
import { Ajv, type Schema } from 'ajv';

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required?: boolean;
  schema: Schema;
  /** A path parameter that may hold slashes. */
  'x-multi-segment'?: boolean;
}

interface Operation {
  operationId: string;
  parameters?: (Parameter | { $ref: string })[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Record<string, unknown> }> };
}

interface Description {
  paths: Record<string, Record<string, Operation>>;
}

interface Found {
  operation: Operation;
  parameters: Parameter[];
  /** The path's parameters, as they were sent. */
  values: Record<string, string>;
}

/** What a `fetch` saw that was held against GitHub's published OpenAPI description. */
export interface CheckedFetch {
  fetch: typeof fetch;
  /** The operations that were used, by `operationId`; only those of right requests. */
  operations: Set<string>;
  /** What was wrong, each with its request. The request that it was wrong in has failed as well. */
  problems: string[];
}

let description: Description | undefined;
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });

/**
 * A `fetch` that sends only what GitHub's description of its REST API knows: method and path, path and query parameters by
 * name and type, and the JSON body by its schema, without fields that the schema does not name.
 */
export function checkedFetch(send: typeof fetch): CheckedFetch {
  const operations = new Set<string>();
  const problems: string[] = [];
  return {
    operations,
    problems,
    async fetch(address, init) {
      const url = new URL(address instanceof Request ? address.url : address);
      const method = (init?.method ?? 'GET').toUpperCase();
      const found = findOperation(method, url.pathname);
      const wrong = found ? problemsOf(found, url, init?.body) : ['no such operation'];
      if (wrong.length > 0 || !found) {
        const problem = `${method} ${url.pathname}${url.search}: ${wrong.join('; ')}`;
        problems.push(problem);
        throw new Error(problem);
      }
      operations.add(found.operation.operationId);
      return send(address, init);
    },
  };
}

/** The operation of a path as the description and Octokit write it: `/repos/{owner}/{repo}/pulls`. */
export function operationOf(method: string, template: string): string | undefined {
  return read().paths[template]?.[method.toLowerCase()]?.operationId;
}

function read(): Description {
  return (description ??= JSON.parse(
    readFileSync(
      new URL('../../../node_modules/@octokit/openapi/generated/api.github.com.json', import.meta.url),
      'utf8',
    ),
  ) as Description);
}

/** The operation of the most literal path that fits. */
function findOperation(method: string, pathname: string): Found | undefined {
  const fitting = Object.entries(read().paths).flatMap(([template, methods]) => {
    // An older name of `/compare/{basehead}`: the same requests.
    if (template.endsWith('/compare/{base}...{head}')) return [];
    const operation = methods[method.toLowerCase()];
    if (!operation) return [];
    const parameters = (operation.parameters ?? []).map((each) =>
      '$ref' in each ? (resolve(each.$ref) as Parameter) : each,
    );
    const values = match(template, pathname, parameters);
    return values ? [{ operation, parameters, values, literal: template.replaceAll(/\{\w+\}/g, '').length }] : [];
  });
  return fitting.toSorted((a, b) => b.literal - a.literal)[0];
}

function match(
  template: string,
  pathname: string,
  parameters: readonly Parameter[],
): Record<string, string> | undefined {
  const pattern = template.split(/\{(\w+)\}/).map((part, index) => {
    if (index % 2 === 0) return part.replaceAll(/[.+*?^$()[\]\\|]/g, String.raw`\$&`);
    const many = parameters.some((each) => each.name === part && each['x-multi-segment'] === true);
    return `(?<${part}>${many ? '.+' : '[^/]+'})`;
  });
  const groups = new RegExp(`^${pattern.join('')}$`).exec(pathname)?.groups;
  return groups && Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
}

function problemsOf({ operation, parameters, values }: Found, { searchParams }: URL, body: unknown): string[] {
  const query = parameters.filter((each) => each.in === 'query');
  const asked = [...searchParams];
  const repeated = asked.length > new Set(searchParams.keys()).size ? ['a query parameter is given twice'] : [];
  return [
    ...repeated,
    ...Object.entries(values).flatMap(([name, value]) =>
      parameterProblem(
        parameters.find((each) => each.in === 'path' && each.name === name),
        name,
        value,
      ),
    ),
    ...asked.flatMap(([name, value]) =>
      parameterProblem(
        query.find((each) => each.name === name),
        name,
        value,
      ),
    ),
    ...query
      .filter(({ name, required }) => required === true && !searchParams.has(name))
      .map(({ name }) => `${name} is missing`),
    ...bodyProblems(operation, body),
  ];
}

/** A parameter is text: it must be right as the text, number or boolean that it can be read as. */
function parameterProblem(parameter: Parameter | undefined, name: string, text: string): string[] {
  if (!parameter) return [`${name} is no parameter`];
  const readings: unknown[] = [text];
  if (/^-?\d+$/.test(text)) readings.push(Number(text));
  if (text === 'true' || text === 'false') readings.push(text === 'true');
  const validate = ajv.compile(inlined(parameter.schema) as Schema);
  return readings.some((value) => validate(value)) ? [] : [`${name}=${text} ${ajv.errorsText(validate.errors)}`];
}

function bodyProblems({ requestBody }: Operation, sent: unknown): string[] {
  if (sent === undefined || sent === null) return requestBody?.required === true ? ['its body is missing'] : [];
  if (!requestBody) return ['it takes no body'];
  const schema = inlined(requestBody.content['application/json']?.schema) as Record<string, unknown> | undefined;
  if (!schema) return ['it takes no JSON'];
  if (typeof sent !== 'string') return ['its body is no text'];
  const body: unknown = JSON.parse(sent);
  const validate = ajv.compile(schema);
  const wrong = validate(body) ? [] : [ajv.errorsText(validate.errors, { dataVar: 'body' })];
  return [...wrong, ...unnamed(schema, body)];
}

/** Fields that the schema does not name: descriptions leave objects open, so that a misspelt field would pass. */
function unnamed({ properties, additionalProperties }: Record<string, unknown>, body: unknown): string[] {
  if (typeof properties !== 'object' || properties === null || additionalProperties !== undefined) return [];
  return Object.keys(body ?? {})
    .filter((name) => !Object.hasOwn(properties, name))
    .map((name) => `body/${name} is no field`);
}

/** A schema with what it refers to in its place. */
function inlined(value: unknown, above: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((each) => inlined(each, above));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref: ref } = value as { $ref?: unknown };
  if (typeof ref !== 'string')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inlined(each, above)]));
  if (above.includes(ref)) throw new Error(`${ref} refers to itself`);
  return inlined(resolve(ref), [...above, ref]);
}

function resolve(ref: string): unknown {
  const steps = ref.replace(/^#\//, '').split('/');
  return steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step.replaceAll('~1', '/')], read());
}
