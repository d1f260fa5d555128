import type { Command } from 'commander';

import type { Config, Flags } from '../config/config.ts';
import type { ApprovalTerms } from '../core/decision.ts';
import { SIGNATURES, wordsOf } from '../core/demand-words.ts';
import { HoldpointError } from '../core/errors.ts';
import { loadPersona } from '../personas/persona.ts';
import { explain } from '../policy/explain.ts';
import type { Explanation, RuleNote, TargetExplanation } from '../policy/explain.ts';
import { compilePolicy, readPolicyFile } from '../policy/load.ts';
import { didYouMean } from '../policy/problems.ts';
import { testPolicy } from '../policy/test.ts';
import type { PolicyReport } from '../policy/test.ts';
import { act, jsonOption, print, sharedOptions } from './command.ts';
import { withPersona } from './persona-document.ts';
import { policyFile, policyScope, usable } from './policy-files.ts';
import { registerLint } from './policy-lint.ts';
import { registerReplay } from './policy-replay.ts';

interface PolicyFlags extends Flags {
  json?: boolean;
}

export function register(program: Command): void {
  const policy = program.command('policy').description('check, explain and compare policies');
  jsonOption(sharedOptions(policy.command('test')))
    .description('run the examples of every rule')
    .argument('[file]', "a policy's name or file (the persona's own)")
    .option('--persona <name|file>', 'whose policy (devops)')
    .addHelpText('after', '\nExit code 0: all as expected; 1: an example is not; 2: the file is no policy.')
    .action((file: string | undefined, flags: PolicyFlags) => act(flags, (config) => test(file, config, flags.json)));
  jsonOption(sharedOptions(policy.command('explain')))
    .description('say what a call would be answered, and by which rules; runs and looks at nothing')
    .argument('<tool>', 'the tool, such as save-file')
    .argument('<json>', 'its arguments, as one JSON object in quotes')
    .option('--policy <name|file>', "the policy, instead of the persona's")
    .option('--persona <name|file>', 'whose policy (devops)')
    .addHelpText(
      'after',
      '\nExit code 0: explained, whatever the answer; 2: the file is no policy, or this is no call of the tool.',
    )
    .action((tool: string, json: string, flags: PolicyFlags) =>
      act(flags, (config) => explainCall(tool, json, config, flags.json)),
    );
  registerLint(policy);
  registerReplay(policy);
}

async function test(named: string | undefined, config: Config, json: boolean | undefined): Promise<void> {
  const [scope, file] = await Promise.all([policyScope(config), policyFile(named, config)]);
  const report = await usable(file, json, () => testPolicy(file, scope));
  if (report === undefined) return;
  print({ valid: report.problems.length === 0, ...report }, () => reportText(report), json);
  if (report.problems.length > 0) process.exitCode = 1;
}

function reportText({ name, file, rules, examples, passed, problems }: PolicyReport): string {
  const lines = problems.map(({ line, rule, says }) => `${file}:${line}: rule "${rule}": ${says}`);
  return [...lines, `${name}: ${rules} rules, ${passed} of ${examples} examples as expected`].join('\n');
}

async function explainCall(name: string, json: string, config: Config, asJson: boolean | undefined): Promise<void> {
  const [{ registry, facts, ...scope }, file, persona] = await Promise.all([
    policyScope(config),
    policyFile(undefined, config),
    withPersona(config).then((settled) => loadPersona(settled.persona)),
  ]);
  const tool = registry.get(name);
  if (tool === undefined)
    throw new HoldpointError('invalid_input', `There is no tool "${name}"${didYouMean(name, [...registry.keys()])}.`, {
      hint: `Tools: ${[...registry.keys()].join(', ')}.`,
    });
  const policy = await usable(file, asJson, async () => compilePolicy(await readPolicyFile(file), file, scope));
  if (policy === undefined) return;
  const principal = { person: config.user, agent: persona.name, client: 'holdpoint policy explain' };
  const explanation = explain(policy, { tool, input: parse(json), principal, facts }, Date.now());
  print({ policy: policy.name, ...explanation }, () => explanationText(policy.name, explanation), asJson);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new HoldpointError('invalid_input', 'The arguments are not JSON.', {
      hint: `Write them as one object in quotes: '{"path":"docker/Dockerfile"}'.`,
      cause,
    });
  }
}

function explanationText(policy: string, { tool, decision, targets, when }: Explanation): string {
  const { verdict, reason, handOff, consult, terms } = decision;
  const lines = [`${tool} by ${policy}: ${verdict}`, `  ${reason}`];
  if (handOff !== undefined) lines.push(`  ${consult ? 'consult' : 'hand off to'} ${handOff}`);
  if (terms !== undefined) {
    const minutes = (ms: number) => `${Math.round(ms / 60_000)} min`;
    lines.push(
      `  ${terms.approvals} approval(s) ${terms.channel} within ${minutes(terms.approveWithin)}, then run within ${minutes(terms.runWithin)}`,
      ...demandLines(terms),
    );
  }
  return [...lines, ...when.map((line) => `  ${line}`), ...targets.flatMap(targetLines)].join('\n');
}

function demandLines({ approvers, requesterMayApprove, reasonRequired, signature }: ApprovalTerms): string[] {
  return [
    ...approvers.map((demand) => `  ${demand.approvals} ${wordsOf(demand)}`),
    ...(requesterMayApprove ? [] : ['  not by the requester']),
    ...(reasonRequired ? ['  with a reason'] : []),
    ...(signature === 'any' ? [] : [`  signed ${SIGNATURES[signature]}`]),
  ];
}

function targetLines({ target, verdict, environment, environmentWhy, matched, near }: TargetExplanation): string[] {
  const where = environment === undefined ? '' : `, ${environment} (${environmentWhy})`;
  const rule = ({ decision, id, line }: RuleNote) => `${decision} by "${id}" (line ${line})`;
  return [
    `${target.effect} ${target.kind} ${target.id}${where}: ${verdict}`,
    ...matched.map((note) => `  ${rule(note)}: ${note.reason}`),
    ...(matched.length === 0 ? ['  no rule matches'] : []),
    ...near.map((note) => `  not ${rule(note)}: its ${note.unmet.key} is ${short(note.unmet.written)}`),
  ];
}

function short(values: readonly string[]): string {
  return values.length > 3 ? `${values.slice(0, 3).join(', ')} and ${values.length - 3} more` : values.join(', ');
}
