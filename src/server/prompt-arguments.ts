import type { Policy } from '../policy/policy.ts';

/** One thing that a prompt can be given. Values are the user's words: checked here, and quoted wherever they are put. */
interface PromptArgument {
  says: string;
  /** What is wrong with a value, in words; undefined where nothing is. */
  wrong(value: string, policy: Policy): string | undefined;
}

/** Characters of a value. */
const LONGEST = 200;

/** How something new comes into service, as the deployment skills describe it. */
export const STRATEGIES = ['rolling', 'canary', 'blue-green', 'recreate'] as const;
/** How bad it is, as the monitoring and incident skills have it. */
export const SEVERITIES = ['critical', 'warning', 'info'] as const;

const matching = (says: string, pattern: RegExp, form: string): PromptArgument => ({
  says,
  wrong: (value) => (pattern.test(value) ? undefined : `must be ${form}`),
});
const oneOf = (says: string, values: readonly string[]): PromptArgument => ({
  says: `${says}: ${values.join(', ')}.`,
  wrong: (value) => (values.includes(value) ? undefined : `must be one of ${values.join(', ')}`),
});

const LABEL = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;

export const PROMPT_ARGUMENTS: Readonly<Record<string, PromptArgument>> = {
  service: matching('The service, by the name of its workload.', LABEL, 'a name such as shop-api'),
  namespace: matching('The Kubernetes namespace.', LABEL, 'a name such as shop-staging'),
  context: matching('The kubeconfig context.', /^[\w.:@/-]+$/, 'a name of a context'),
  environment: {
    says: 'An environment that the policy names.',
    wrong(value, { environments }) {
      const names = environments.map(({ name }) => name);
      return names.includes(value) ? undefined : `must be one of ${names.join(', ')}`;
    },
  },
  image: matching(
    'The image, with its tag or digest.',
    /^[a-z0-9][\w.:/-]*(?:@sha256:[0-9a-f]{64})?$/i,
    'an image such as registry.example.com/shop-api:1.2.0',
  ),
  workflow: matching('The workflow’s file.', /^[\w.-]+\.ya?ml$/, 'a file name such as ci-cd.yml'),
  path: matching('A file or folder of the workspace.', /^(?!\/)(?!.*\.\.)[\w./@+-]+$/, 'a path from the workspace'),
  strategy: oneOf('How it comes into service', STRATEGIES),
  severity: oneOf('How bad it is', SEVERITIES),
  node: matching('The node of the workflow.', /^[\w-]+$/, 'a name such as Build_Release'),
};

/** An argument that a persona's own skill has and nobody here knows: one line of text. */
const ANY: PromptArgument = {
  says: 'Text.',
  wrong: (value) => (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(value) ? 'must be one line of text' : undefined),
};

export function promptArgument(name: string): PromptArgument {
  const known = Object.hasOwn(PROMPT_ARGUMENTS, name) ? (PROMPT_ARGUMENTS[name] ?? ANY) : ANY;
  return {
    ...known,
    wrong: (value, policy) =>
      value.length > LONGEST ? `must have at most ${LONGEST} characters` : known.wrong(value, policy),
  };
}
