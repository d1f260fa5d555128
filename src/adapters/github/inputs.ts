import { HoldpointError } from '../../core/errors.ts';
import { likely } from '../../core/nearest.ts';
import type { WorkflowInput } from './workflow.ts';

const MAX_SHOWN = 200;

/**
 * Holds the inputs of a dispatch against what the workflow declares.
 *
 * @returns the inputs as they are sent: as given, under the names that the workflow uses. What is left out takes its default.
 * @throws HoldpointError `invalid_input` with all that is wrong at once.
 */
export function checkInputs(
  declared: ReadonlyMap<string, WorkflowInput>,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const problems: string[] = [];
  const checked: Record<string, string> = {};
  const names = [...declared.keys()];
  for (const [written, value] of Object.entries(given)) {
    const name = names.find((each) => each.toLowerCase() === written.toLowerCase());
    const input = name === undefined ? undefined : declared.get(name);
    if (name === undefined || !input) {
      const [near] = likely(written, names, 1);
      problems.push(`there is no input ${shown(written)}${near === undefined ? '' : ` (${near}?)`}`);
      continue;
    }
    if (Object.hasOwn(checked, name)) problems.push(`${name} is given twice`);
    checked[name] = value;
    const wrong = problemOf(input, value);
    if (wrong !== undefined) problems.push(`${name} ${wrong}`);
  }
  for (const [name, input] of declared)
    if (input.required && (checked[name] ?? input.default ?? '') === '') problems.push(`${name} is required`);
  if (problems.length === 0) return checked;
  throw new HoldpointError('invalid_input', `The inputs do not fit the workflow: ${problems.join('; ')}.`, {
    hint: `It takes ${describeInputs(declared)}.`,
  });
}

function problemOf({ type, options }: WorkflowInput, value: string): string | undefined {
  if (type === 'boolean' && value !== 'true' && value !== 'false') return `is ${shown(value)}, not true or false`;
  if (type === 'number' && (value.trim() === '' || !Number.isFinite(Number(value))))
    return `is no number: ${shown(value)}`;
  if (type === 'choice' && options && !options.includes(value))
    return `is ${shown(value)}, not one of ${options.slice(0, 10).join(', ')}`;
  return undefined;
}

function describeInputs(declared: ReadonlyMap<string, WorkflowInput>): string {
  if (declared.size === 0) return 'no inputs';
  return [...declared]
    .map(([name, { type, required, default: preset, options }]) => {
      const kind = type === 'choice' && options ? options.slice(0, 10).join('|') : type;
      return `${name} (${kind}${preset === undefined ? (required ? ', required' : '') : `, default ${shown(preset)}`})`;
    })
    .join(', ')
    .slice(0, 1000);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, MAX_SHOWN));
}
