import type { SecretLintRuleContext, SecretLintRuleCreator, SecretLintSourceCode } from '@secretlint/types';

import type { Range } from './mask.ts';

/** Finds credentials by the maintained rule set. */
export type Finder = (text: string) => Range[];

/**
 * Rules of the set that are left out: `filter-comments` lets a text switch the others off, and the three others mask whole
 * addresses and only the first line of a key, where our own part of redaction leaves hosts and lines in place.
 */
const LEFT_OUT = /-(?:filter-comments|basicauth|database-connection-string|privatekey)$/;
/** An account's number is no secret. */
const NO_SECRETS = new Set(['AWSAccountID']);

let loaded: Promise<Finder> | undefined;

/** Loads the rule set, once: some ten milliseconds, which no start-up should pay. */
export function loadRules(): Promise<Finder> {
  return (loaded ??= import('@secretlint/secretlint-rule-preset-recommend').then(({ rules }) => finderOf(rules)));
}

function finderOf(rules: readonly SecretLintRuleCreator[]): Finder {
  let found: Range[] = [];
  const context = {
    createTranslator: () => (id: string) => ({ message: id, messageId: id, data: {} }),
    report: ({ range, message }: { range: Range; message: { messageId: string } }) => {
      if (!NO_SECRETS.has(message.messageId)) found.push(range);
    },
    ignore: () => {},
  } as unknown as SecretLintRuleContext;
  const runs = rules
    .filter(({ meta }) => !LEFT_OUT.test(meta.id))
    .flatMap((rule) => rule.create(context, {}).file?.bind(undefined) ?? []);
  return (content) => {
    found = [];
    // No path and no extension: the rules that read more than the text, and would have to wait for it, do nothing.
    const source = { content, contentType: 'text', filePath: '', ext: '' } as SecretLintSourceCode;
    for (const run of runs) void run(source);
    return found;
  };
}
