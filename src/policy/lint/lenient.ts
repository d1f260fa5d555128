import { EFFECTS } from '../../core/effect.ts';
import { TARGET_KINDS } from '../../core/target.ts';
import { didYouMean, invalidPolicy, readYaml } from '../problems.ts';
import type { YamlSource } from '../problems.ts';
import type { PolicyFile } from '../schema.ts';
import { parseShape } from '../shape.ts';
import type { Finding } from './finding.ts';
import { found } from './scope.ts';

const STAND_IN = 'It does not say why.';

/**
 * A policy file read as far as it can be: a rule without a reason, without examples, or for a kind or effect that does not
 * exist is a finding, with something in its place so that the rest can be read.
 *
 * @throws HoldpointError `invalid_input` for everything else that is no policy.
 */
export function readLenient(
  text: string,
  file: string,
): { source: YamlSource; entry: PolicyFile; findings: Finding[] } {
  const source = readYaml(text, file);
  const findings = mend(source);
  const shape = parseShape(source);
  if ('problems' in shape) throw invalidPolicy(file, shape.problems);
  return { source, entry: shape.entry, findings };
}

function mend(source: YamlSource): Finding[] {
  const rules = isObject(source.data) ? source.data['rules'] : undefined;
  if (!Array.isArray(rules)) return [];
  return rules.flatMap((rule: unknown, index) => {
    if (!isObject(rule)) return [];
    const place = (...below: PropertyKey[]) => source.place(['rules', index, ...below]);
    const of = typeof rule['id'] === 'string' ? { of: rule['id'] } : {};
    const findings: Finding[] = [];
    if (rule['reason'] === undefined || rule['reason'] === null || rule['reason'] === '') {
      rule['reason'] = STAND_IN;
      findings.push(
        found('reason-missing', place(), {
          ...of,
          message: 'It has no reason, and the policy does not load.',
          fix: 'Write one sentence: why, and what to do instead.',
        }),
      );
    }
    if (rule['examples'] === undefined || (Array.isArray(rule['examples']) && rule['examples'].length === 0)) {
      rule['examples'] = [{ tool: 'view', input: {}, expect: 'deny' }];
      findings.push(
        found('example-missing', place(), {
          ...of,
          message: 'It has no examples, and the policy does not load.',
          fix: 'Write a call that it decides, with what to expect, and the nearest call that it does not.',
        }),
      );
    }
    const { when } = rule;
    if (!isObject(when)) return findings;
    for (const [key, known] of [
      ['kind', TARGET_KINDS],
      ['effect', EFFECTS],
    ] as const) {
      const written: unknown[] = Array.isArray(when[key]) ? when[key] : when[key] === undefined ? [] : [when[key]];
      const good = written.filter((value) => known.some((each) => each === value));
      for (const [at, value] of written.entries())
        if (typeof value === 'string' && !good.includes(value))
          findings.push(
            found('matches-nothing', place('when', key, at), {
              ...of,
              message: `Nothing has the ${key} "${value}"${didYouMean(value, known)}, and the policy does not load.`,
              fix: `Write one of ${known.join(', ')}.`,
            }),
          );
      if (written.every((value) => typeof value === 'string') && good.length < written.length)
        when[key] = good.length > 0 ? good : [known[0]];
    }
    return findings;
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
