import { HoldpointError } from '../../core/errors.ts';
import type { Artifact } from './definition.ts';
import { fillSlots } from './contents.ts';
import { said } from './facts.ts';
import type { Context } from './looking.ts';
import type { DecisionRecord } from './port.ts';

/** The production changes, or the rollbacks, that people have approved and that the policy lets be seen; newest first. */
async function decisionsFor(
  { decision }: Pick<Artifact, 'decision'>,
  { records, permits, principal }: Context,
): Promise<DecisionRecord[]> {
  const found = await records.decisions(principal);
  return found.filter(
    ({ purpose, environment, targets }) =>
      environment === 'production' &&
      purpose === (decision === 'rollback' ? 'rollback' : 'deployment') &&
      targets.every((target) => permits({ ...target, effect: 'read' })),
  );
}

/**
 * The text of an artifact that people's decision makes: from the newest of them.
 *
 * @throws HoldpointError `conflict` where nobody has decided that.
 */
export async function decisionText(artifact: Artifact, context: Context): Promise<string> {
  const [newest] = await decisionsFor(artifact, context);
  if (newest) return textOf(artifact, newest, context);
  const what = artifact.decision === 'rollback' ? 'a rollback in production' : 'a deployment to production';
  throw new HoldpointError(
    'conflict',
    `Nobody has approved ${what}, so there is nothing to write ${artifact.id} from.`,
    {
      hint: `Make the call that ${artifact.decision === 'rollback' ? 'rolls back (kubectl-rollout undo)' : 'deploys'}; it comes back as approval_required. Write ${artifact.id} once a person has approved it.`,
    },
  );
}

/** Why a text is not what the ledger makes of the decision that it names. */
export async function decisionFaults(artifact: Artifact, text: string, context: Context): Promise<string[]> {
  const id = /^- Request: (apr_[0-9a-f]{32})$/m.exec(text)?.[1];
  const record = (await decisionsFor(artifact, context)).find((each) => each.id === id);
  if (!record)
    return [`it names no request that people have approved for this (${id ?? 'no id'}); the action artifact writes it`];
  const is = await textOf(artifact, record, context);
  return is === text ? [] : ['it is not what the ledger says of that request; write it again with the action artifact'];
}

async function textOf(artifact: Artifact, record: DecisionRecord, { workflow, redact }: Context): Promise<string> {
  const { id, digest, tool, does, summary, environment, targets, askedBy, askedAt, approvals } = record;
  const lines = [
    `- Request: ${id}`,
    `- Digest: ${digest}`,
    `- What: ${said(summary, redact)}`,
    ...does.slice(0, 20).map((each) => `- Step: ${said(each, redact)}`),
    `- Tool: ${tool}`,
    `- Where: ${environment}; ${targets
      .slice(0, 10)
      .map((target) => said(target.id, redact))
      .join(', ')}`,
    `- Asked: by ${said(askedBy, redact)} at ${askedAt}`,
    ...approvals.map(
      ({ approver, at, key, reason, alone }) =>
        `- Approved: by ${approver}${alone ? ' alone, breaking the glass,' : ''} at ${at}, key ${key}${reason === '' ? '' : `, saying ${said(reason, redact)}`}`,
    ),
    '',
    'Holdpoint wrote this from its ledger. It is a copy for readers and proves nothing by itself: the proof is the ledger',
    `(\`holdpoint audit verify\`, \`holdpoint approvals show ${id}\`).`,
  ];
  const template = await workflow.template(artifact.template ?? '');
  return fillSlots(template, (slot) => (slot === 'decision' ? lines.join('\n') : undefined));
}
