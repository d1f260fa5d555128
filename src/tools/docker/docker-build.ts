import { z } from 'zod';

import {
  buildParts,
  buildQuery,
  checkedTag,
  contextDigest,
  contextEntries,
  listContext,
  readDockerfile,
  refuseMissingCopies,
  refuseRemoteSources,
  refuseSecretArguments,
  withinBuildLimit,
} from '../../adapters/docker/port.ts';
import { HoldpointError } from '../../core/errors.ts';
import { fileTarget, folderTarget, withReal, workspacePath } from '../../core/paths.ts';
import type { Facts } from '../../core/facts.ts';
import type { Effect } from '../../core/effect.ts';
import type { Target } from '../../core/target.ts';
import { defineTool } from '../../core/tool.ts';

/** The role's targets: an image below 500 MB, a build below five minutes. */
const TARGET_MB = 500;
const TARGET_SECONDS = 300;
const MAX_DOCKERFILE = 1024 * 1024;
/** Names of left-out files to show; the rest is counted. */
const SHOWN = 20;

const input = z.strictObject({
  context: z.string(),
  dockerfile: z.string().optional(),
  tags: z.array(z.string()).refine((tags) => tags.length > 0 && tags.length <= 10, 'Give one to ten tags.'),
  buildArgs: z.record(z.string(), z.string()).optional(),
  target: z
    .string()
    .refine((stage) => /^[A-Za-z0-9][\w.-]{0,127}$/.test(stage), 'This is no name of a stage.')
    .describe('stage')
    .optional(),
  noCache: z.boolean().optional(),
});

export default defineTool({
  name: 'docker-build',
  title: 'Build a Docker image',
  description: 'Build an image from a folder. Denied files such as .env never get in; no secrets in buildArgs.',
  keywords: ['image', 'container', 'dockerfile', 'buildkit', 'tag'],
  effect: 'write',
  needs: ['docker', 'files'],
  input,
  output: z.strictObject({
    id: z.string(),
    tags: z.array(z.string()),
    /** Against the target of 500 MB. */
    size: z.strictObject({ megabytes: z.number(), withinTarget: z.boolean() }),
    /** Against the target of five minutes. */
    time: z.strictObject({ seconds: z.number(), withinTarget: z.boolean() }),
    steps: z.strictObject({ total: z.number(), cached: z.number() }),
    builder: z.enum(['buildkit', 'classic']),
    context: z.strictObject({ files: z.number(), bytes: z.number() }),
    /** Files kept out of the context by policy, not those that .dockerignore names. */
    leftOut: z.array(z.string()).optional(),
  }),

  targets(written, { facts }) {
    const { context, dockerfile, tags } = places(written);
    return [
      folderTarget(context),
      fileTarget(dockerfile, 'read'),
      ...tags.map((tag) => imageTarget(tag, 'write', facts)),
    ];
  },

  async plan(written, call) {
    const { context, dockerfile, tags } = places(written);
    const buildArgs = written.buildArgs ?? {};
    refuseSecretArguments(buildArgs);
    const [folder, recipe] = await Promise.all([call.files.look(context), call.files.look(dockerfile)]);
    if (folder.type !== 'folder') {
      throw new HoldpointError(
        folder.type === 'missing' ? 'not_found' : 'invalid_input',
        `The context ${context} is no folder.`,
        {
          hint: 'Give the folder to build from, relative to the workspace.',
        },
      );
    }
    // Dispatch decides on the real path too, but only after the plan; a denied file is not even read.
    if (!call.permits(fileTarget(recipe.real, 'read')))
      throw new HoldpointError(
        'denied',
        `${dockerfile} leads to ${recipe.real}, which the policy does not let docker-build read.`,
        {
          hint: 'Build from a Dockerfile of your own.',
        },
      );
    const { bytes } = await call.files.read(recipe, { maxBytes: MAX_DOCKERFILE });
    const text = Buffer.from(bytes).toString('utf8');
    refuseRemoteSources(text);
    const parsed = readDockerfile(text, buildArgs);
    const listing = await listContext(context, dockerfile, call);
    refuseMissingCopies(parsed, listing);
    const digest = await contextDigest(listing, call);
    const bases = await Promise.all(
      parsed.images.map(async (image) => ({ image, id: await call.docker.imageId(image, call) })),
    );
    const current = await Promise.all(tags.map(async (tag) => ({ tag, id: await call.docker.imageId(tag, call) })));

    const request = {
      dockerfile: listing.dockerfile,
      tags,
      buildArgs,
      target: written.target ?? null,
      noCache: written.noCache ?? false,
    };
    const leftOut = grouped(listing.leftOut).map(({ name, why }) => `${name} (${why})`);
    const size = `${listing.files.length} files, ${(listing.bytes / 1e6).toFixed(1)} MB`;
    const summary = `build ${tags.join(', ')} from ${context} on Docker Engine ${call.facts.docker.host}`;
    const details = [
      `Dockerfile ${dockerfile}${request.target === null ? '' : `, stage ${request.target}`}; context ${context}: ${size}, ${digest}`,
      ...Object.entries(buildArgs).map(([name, value]) => `argument ${name}=${JSON.stringify(value)}`),
      ...bases.map(({ image, id }) =>
        id === null
          ? `base ${image}: not on this Engine, it will be pulled; what its tag stands for is not known`
          : `base ${image}: ${id}`,
      ),
      ...current.map(({ tag, id }) => (id === null ? `tag ${tag} is new` : `tag ${tag} moves from ${id}`)),
      ...(leftOut.length === 0 ? [] : [`left out: ${shortened(leftOut).join(', ')}`]),
    ].join('\n');
    return {
      effect: 'write',
      targets: [
        ...withReal(folderTarget(context), folder.real),
        ...withReal(fileTarget(dockerfile, 'read'), recipe.real),
        ...parsed.images.map((image) => imageTarget(image, 'read', call.facts)),
        ...tags.map((tag) => imageTarget(tag, 'write', call.facts)),
      ],
      preconditions: [
        { id: `context:${context}`, says: `the files of the context ${context}`, value: digest },
        ...bases.map(({ image, id }) => ({ id: `base:${image}`, says: `the base image behind ${image}`, value: id })),
        ...current.map(({ tag, id }) => ({ id: `tag:${tag}`, says: `the image behind the tag ${tag}`, value: id })),
      ],
      steps: [{ id: 'build', does: summary, call: { method: 'POST', path: '/build', query: buildQuery(request) } }],
      preview: { summary, text: details },
      data: { context, dockerfile, digest, request },
    };
  },

  preview: ({ data: { context, dockerfile, request }, preconditions, preview: { text = '' } }, call) =>
    buildParts({ context, dockerfile, tags: request.tags, preconditions, details: text }, call),

  async run({ data: { context, dockerfile, digest, request } }, call) {
    const listing = await listContext(context, dockerfile, call);
    const entries = contextEntries(listing, call, digest);
    const image = await withinBuildLimit(call.signal, (signal) =>
      call.docker.build({ ...request, entries }, (update) => call.progress(update), { callId: call.callId, signal }),
    );
    call.stepDone('build', { id: image.id });
    const megabytes = Math.round(image.bytes / 1e5) / 10;
    return {
      id: image.id,
      tags: request.tags,
      size: { megabytes, withinTarget: megabytes < TARGET_MB },
      time: { seconds: image.seconds, withinTarget: image.seconds < TARGET_SECONDS },
      steps: { total: image.steps, cached: image.cached },
      builder: image.builder,
      context: { files: listing.files.length, bytes: listing.bytes },
      ...(listing.leftOut.length === 0 ? {} : { leftOut: shortened(grouped(listing.leftOut).map(({ name }) => name)) }),
    };
  },

  render({ id, tags, size, time, steps, leftOut }) {
    const built = `built ${tags.join(', ')}: ${id}`;
    const figures = `${size.megabytes} MB (target ${TARGET_MB}), ${time.seconds} s (target ${TARGET_SECONDS}), ${steps.total} steps, ${steps.cached} cached`;
    return [built, figures, ...(leftOut ? [`left out: ${leftOut.join(', ')}`] : [])].join('\n');
  },
});

function places(written: z.output<typeof input>): { context: string; dockerfile: string; tags: string[] } {
  const context = workspacePath(written.context);
  const dockerfile =
    written.dockerfile === undefined
      ? context === '.'
        ? 'Dockerfile'
        : `${context}/Dockerfile`
      : workspacePath(written.dockerfile);
  return { context, dockerfile, tags: [...new Set(written.tags.map(checkedTag))] };
}

function imageTarget(image: string, effect: Effect, facts: Facts): Target {
  return { kind: 'image', id: image, effect, at: { dockerHost: facts.docker.host } };
}

/** Files of one folder at the context's top that are left out for one reason count as one. */
function grouped(leftOut: readonly { name: string; why: string }[]): { name: string; why: string }[] {
  const groups = Map.groupBy(leftOut, ({ name, why }) => (name.includes('/') ? `${name.split('/')[0]}/ ${why}` : name));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first || group.length < 3) return group;
    return [{ name: `${first.name.split('/')[0]}/… (${group.length} files)`, why: first.why }];
  });
}

function shortened(names: readonly string[]): string[] {
  return names.length <= SHOWN ? [...names] : [...names.slice(0, SHOWN), `… and ${names.length - SHOWN} more`];
}
