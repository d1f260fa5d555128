/** Masks secrets; applied before a text is cut, so that no half of one is left. */
export type Redact = (text: string) => string;

/** One line of what a remote system said: no control or invisible characters, secrets masked, at most `max` characters. */
export function clean(text: string, max: number, redact: Redact): string {
  const line = redact(text)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return line.length > max ? `${line.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : line;
}

const MAX_LABELS = 12;
const MAX_NAME = 60;
const MAX_VALUE = 80;

/** Labels as data: cleaned, the first twelve by name and how many more there are; a secret under a telling name goes as `name=value` through the mask. */
export function cleanLabels(labels: Readonly<Record<string, string>>, redact: Redact): Record<string, string> {
  const entries = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  const shown = entries.slice(0, MAX_LABELS).map(([name, value]): [string, string] => {
    const pair = redact(`${name}=${value}`);
    const masked = pair.startsWith(`${name}=`) ? pair.slice(name.length + 1) : '[redacted]';
    return [clean(name, MAX_NAME, redact), clean(masked, MAX_VALUE, redact)];
  });
  const more = entries.length - shown.length;
  return Object.fromEntries([...shown, ...(more > 0 ? [['…', `${more} more`]] : [])]);
}

/** The labels that all of several sets share; none where there is but one set, which is best read whole. */
export function sharedLabels(all: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const [first, ...rest] = all;
  if (!first || rest.length === 0) return {};
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => rest.every((labels) => labels[name] === value)),
  );
}

/** Labels but those that `others` has as well. */
export function withoutLabels(
  labels: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !Object.hasOwn(others, name)));
}

/** `a="b", c="d"`, as PromQL writes matchers. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ');
}
