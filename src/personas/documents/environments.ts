import type { EnvironmentFact } from './facts.ts';

/**
 * Namespaces and hosts that the document works on, each in the environment that its own name tells. A host counts where a
 * label of it is an environment's name, and the domain that such a host lies below is production's; others stay closed.
 */
export function namedEnvironments(lines: readonly string[]): EnvironmentFact[] {
  const found = new Map<string, EnvironmentFact>();
  const add = (list: EnvironmentFact['list'], value: string, words: string, line: number, known?: 'production') => {
    const environment = known ?? environmentOf(list === 'hosts' ? (value.split('.')[0] ?? '') : value);
    if (environment !== undefined && !found.has(`${list} ${value}`))
      found.set(`${list} ${value}`, { list, value, environment, words: words.trim().slice(0, 200), line });
  };
  for (const [index, text] of lines.entries()) {
    if (text.length > 2000) continue;
    for (const [, value = ''] of text.matchAll(
      /(?:(?:^|\s)(?:-n|--namespace)[ =]|\bnamespace:\s*)([a-z0-9][a-z0-9-]{1,62})\b/g,
    ))
      add('namespaces', value, text, index + 1);
    for (const [, host = ''] of text.matchAll(/\bhttps?:\/\/([a-z0-9][a-z0-9.-]{0,200}[a-z0-9])(?=[:/\s)"'`]|$)/gi))
      add('hosts', host.toLowerCase(), text, index + 1);
  }
  for (const { list, value, environment } of found.values()) {
    const parent = value.slice(value.indexOf('.') + 1);
    if (list !== 'hosts' || environment === 'production' || parent.split('.').length < 2) continue;
    const at = lines.findIndex((text) => namesHost(text, parent));
    if (at >= 0) add('hosts', parent, lines[at] ?? '', at + 1, 'production');
  }
  return [...found.values()];
}

/** Whether a text names this very host, and not only one below it. */
function namesHost(text: string, host: string): boolean {
  if (text.length > 2000) return false;
  const folded = text.toLowerCase();
  for (let at = folded.indexOf(host); at >= 0; at = folded.indexOf(host, at + 1))
    if (!/[a-z0-9.-]/.test(folded[at - 1] ?? ' ') && !/[a-z0-9-]/.test(folded[at + host.length] ?? ' ')) return true;
  return false;
}

function environmentOf(name: string): EnvironmentFact['environment'] | undefined {
  if (/(?:^|-)prod(?:uction)?(?:-|$)/.test(name)) return 'production';
  if (/(?:^|-)stag(?:e|ing)(?:-|$)/.test(name)) return 'staging';
  return /(?:^|-)dev(?:elopment)?(?:-|$)/.test(name) ? 'development' : undefined;
}
