import { HoldpointError } from '../../core/errors.ts';
import type { Facts } from '../../core/facts.ts';
import type { Target } from '../../core/target.ts';
import { systemFor } from './systems.ts';

/** One matcher, in Alertmanager's own words. A type, not an interface, so that it can be a plan's data. */
export type Matcher = { name: string; value: string; isRegex: boolean; isEqual: boolean };

const WRITTEN = /^\s*([a-zA-Z_]\w{0,100})\s*(=~|!~|!=|=)\s*(.*)$/su;
const MAX_VALUE = 300;
const MOST = 10;

/** `severity=critical`, `pod=~"api-.*"`, `job!=x`. @throws HoldpointError `invalid_input` */
export function readMatchers(written: readonly string[]): Matcher[] {
  if (written.length > MOST) throw wrong(`There are more than ${MOST} matchers.`);
  return written.map((text) => {
    const [, name = '', operator = '', right = ''] = WRITTEN.exec(text) ?? [];
    const value = unquoted(right.trim());
    if (name === '' || value === undefined || value.length > MAX_VALUE || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value))
      throw wrong(`${JSON.stringify(text.slice(0, 80))} is no matcher.`);
    return { name, value, isRegex: operator.endsWith('~'), isEqual: !operator.startsWith('!') };
  });
}

function unquoted(text: string): string | undefined {
  if (!text.startsWith('"')) return text.includes('"') ? undefined : text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function wrong(message: string): HoldpointError {
  return new HoldpointError('invalid_input', message, {
    hint: 'Write label=value, label!=value, label=~regex or label!~regex, one matcher each.',
  });
}

/** As Alertmanager's `filter` takes it, and as people read it. */
export function matcherText({ name, value, isRegex, isEqual }: Matcher): string {
  return `${name}${isEqual ? '=' : '!'}${isRegex ? '~' : isEqual ? '' : '='}${JSON.stringify(value)}`;
}

/** In one order, so that the same matchers written in another are the same plan. */
export function sorted(matchers: readonly Matcher[]): Matcher[] {
  return [...matchers].sort((a, b) => (matcherText(a) < matcherText(b) ? -1 : 1));
}

/**
 * Refuses a silence that no label holds to something: only `label=value` with a value does that for sure.
 *
 * @throws HoldpointError `denied`
 */
export function refuseBroad(matchers: readonly Matcher[]): void {
  if (matchers.some(({ isEqual, isRegex, value }) => isEqual && !isRegex && value !== '')) return;
  throw new HoldpointError(
    'denied',
    'A silence needs at least one matcher label=value: this could match every alert.',
    {
      rule: 'silence-scope',
      hint: 'Add one, such as alertname=HighErrorRate; `alerts { action: "firing" }` shows the labels.',
    },
  );
}

/** What systems that know no matchers can be asked: equality alone. @throws HoldpointError `invalid_input` */
export function plainFilter(
  matchers: readonly Matcher[],
  what: string,
): (labels: Readonly<Record<string, string>>) => boolean {
  // An agent's regular expression is never run here: it could take forever.
  if (matchers.some(({ isRegex }) => isRegex))
    throw new HoldpointError('invalid_input', `${what} cannot be filtered by regular expression.`, {
      hint: 'Use label=value or label!=value.',
    });
  return (labels) => matchers.every(({ name, value, isEqual }) => ((labels[name] ?? '') === value) === isEqual);
}

/** Labels that say where an alert is from, by what the policy tells an environment with. */
const PLACES = { namespace: 'namespace', environment: 'namespace', env: 'namespace', cluster: 'cluster' } as const;

/**
 * What a silence with these matchers touches, one target for each label that says where: it then reaches nothing else. A
 * loopback address is left out, for it says nothing about what is watched through it; a silence that names no place counts as
 * one of production.
 */
export function silenceTargets(id: string, matchers: readonly Matcher[], { monitoring }: Facts): Target[] {
  const system = systemFor('silences', monitoring);
  const name = system && monitoring[system];
  const host = name === undefined || /^(?:localhost|127(?:\.\d+){3}|\[?::1\]?)$/.test(name) ? {} : { host: name };
  const places = matchers.flatMap((matcher) => {
    const selector = Object.hasOwn(PLACES, matcher.name) ? PLACES[matcher.name as keyof typeof PLACES] : undefined;
    return selector && matcher.isEqual && !matcher.isRegex && matcher.value !== ''
      ? [{ [selector]: matcher.value }]
      : [];
  });
  return (places.length > 0 ? places : [{}]).map((place): Target => {
    return { kind: 'metric', resource: 'silence', id, effect: 'write', at: { ...host, ...place } };
  });
}
