import { z } from 'zod';

import {
  engineTarget,
  PUSH_SECONDS,
  pushParts,
  registryReference,
  withinPushLimit,
} from '../../adapters/docker/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import type { Facts } from '../../core/facts.ts';
import type { Target } from '../../core/target.ts';
import { defineTool } from '../../core/tool.ts';

const LOOPBACK = ['localhost', '127.0.0.1'];

export default defineTool({
  name: 'docker-push',
  title: 'Push a Docker image',
  description: 'Push an image to the registry that its name begins with. Production needs approval.',
  keywords: ['push', 'registry', 'publish', 'release', 'image', 'container', 'upload'],
  effect: 'write',
  needs: ['docker'],
  input: z.strictObject({
    image: z.string().describe('registry/name:tag'),
    timeoutSeconds: z.int().min(10).max(3600).optional(),
  }),
  output: z.strictObject({
    image: z.string(),
    /** Of the manifest, as the registry has it. */
    digest: z.string(),
    /** On this Engine. */
    size: z.strictObject({ megabytes: z.number() }),
    layers: z.strictObject({ pushed: z.number(), existed: z.number() }),
  }),

  targets: ({ image }, { facts }) => places(image, facts),

  async plan({ image: written, timeoutSeconds = PUSH_SECONDS }, call) {
    const { image, repository, tag, registry } = registryReference(written);
    const local = await call.docker.image(image, call);
    if (local === null)
      throw new HoldpointError('not_found', `Docker Engine ${call.facts.docker.host} has no image ${image}.`, {
        hint: `Build it under this name first: docker-build {"context":".","tags":[${JSON.stringify(image)}]}. docker-get {"show":"images"} lists what there is.`,
      });
    const summary = `push ${image} to ${registry} from Docker Engine ${call.facts.docker.host}`;
    return {
      effect: 'write',
      targets: places(image, call.facts),
      preconditions: [{ id: `image:${image}`, says: `the image behind ${image}`, value: local.id }],
      steps: [
        { id: 'push', does: summary, call: { method: 'POST', path: `/images/${repository}/push`, query: { tag } } },
      ],
      preview: { summary, text: `${image} is ${local.id}` },
      data: { image, repository, tag, registry, ...local },
      manner: { timeoutSeconds },
    };
  },

  preview: async ({ data }) => pushParts(data),

  async run({ data: { image, repository, tag, registry, id, bytes }, manner }, call) {
    const same = async () => (await call.docker.imageId(image, call)) === id;
    if (!(await same()))
      throw new HoldpointError('stale', `${image} is another image by now; nothing was pushed.`, {
        hint: 'Ask again: what is pushed is what was decided on.',
      });
    const { timeoutSeconds } = manner as { timeoutSeconds: number };
    const { digest, pushed, existed } = await withinPushLimit(timeoutSeconds, call.signal, (signal) =>
      call.docker.push({ repository, tag, registry }, (update) => call.progress(update), {
        callId: call.callId,
        signal,
      }),
    );
    call.stepDone('push', { digest });
    // The Engine pushes by name alone: what stood behind it meanwhile can be seen only afterwards.
    if (!(await same()))
      throw new HoldpointError('conflict', `${image} was moved to another image while it was pushed.`, {
        hint: `A person looks at what ${registry} has as ${digest}, and deletes it there if it is not what was meant.`,
      });
    return { image, digest, size: { megabytes: Math.round(bytes / 1e5) / 10 }, layers: { pushed, existed } };
  },

  render: ({ image, digest, size, layers }) =>
    `pushed ${image}: ${digest}\n${size.megabytes} MB here, ${layers.pushed} layers pushed, ${layers.existed} were there`,
});

/** The registry is what the policy decides on. Its loopback is the Engine's own, which may be another machine. */
function places(written: string, facts: Facts): Target[] {
  const { image, host } = registryReference(written);
  const { host: engine } = facts.docker;
  const at = { host: LOOPBACK.includes(host) && engine !== 'local' ? engine : host };
  return [{ kind: 'image', id: image, effect: 'write', at }, engineTarget('image', image, facts)];
}
