import type { Precondition, PreviewPart } from '../../core/plan.ts';
import { softly, type Found } from '../../core/softly.ts';
import type { PlanContext } from '../../core/tool.ts';
import type { Container } from './containers.ts';
import { imageFacts } from './images.ts';

export interface HeldBuild {
  context: string;
  dockerfile: string;
  tags: readonly string[];
  preconditions: readonly Precondition[];
  /** As the plan shows it. */
  details: string;
}

const MAX_DOCKERFILE = 64 * 1024;

/** A held build: what it is made from, where its tags stand now and who runs that, its Dockerfile, and the way back. */
export async function buildParts(build: HeldBuild, context: PlanContext<'docker' | 'files'>): Promise<PreviewPart[]> {
  const { docker, files } = context;
  const [images, containers, recipe] = await Promise.all([
    softly(context, (call) => docker.imageList(call)),
    softly(context, (call) => docker.containers(call)),
    softly(context, async () => {
      const { bytes } = await files.read(await files.look(build.dockerfile), { maxBytes: MAX_DOCKERFILE });
      return new TextDecoder().decode(bytes);
    }),
  ]);
  const now = Date.now() / 1000;
  const facts = (image: string) =>
    'unknown' in images ? `unknown: ${images.unknown}` : imageFacts(images.value, image, now);
  const bases = bound(build, 'base:');
  const tags = bound(build, 'tag:');
  return [
    { kind: 'risks', items: risks(bases, tags, containers) },
    {
      kind: 'facts',
      title: 'Images',
      rows: [
        ...bases.map(({ name, id }): [string, string] => [
          `base ${name}`,
          id === null ? 'not on this Engine: it is pulled; what its tag stands for is unknown' : facts(name),
        ]),
        ...tags.map(({ name, id }): [string, string] => [
          `tag ${name}`,
          id === null ? 'is new' : `moves; now ${facts(name)}${usersText(id, containers)}`,
        ]),
      ],
    },
    { kind: 'diff', title: 'What is sent to the Engine', text: build.details },
    'value' in recipe
      ? { kind: 'diff', title: `${build.dockerfile}, whole`, text: recipe.value }
      : { kind: 'facts', title: build.dockerfile, rows: [['content', `unknown: ${recipe.unknown}`]] },
    { kind: 'undo', text: undoText(tags) },
  ];
}

type BoundImage = { name: string; id: string | null };

function bound({ preconditions }: HeldBuild, prefix: string): BoundImage[] {
  return preconditions
    .filter(({ id }) => id.startsWith(prefix))
    .map(({ id, value }) => ({ name: id.slice(prefix.length), id: value as string | null }));
}

function usersOf(id: string, containers: Found<Container[]>): string[] {
  return 'value' in containers ? containers.value.filter(({ imageId }) => imageId === id).map(({ name }) => name) : [];
}

function usersText(id: string, containers: Found<Container[]>): string {
  const users = usersOf(id, containers);
  return users.length === 0 ? '' : `; used by ${users.slice(0, 5).join(', ')}${users.length > 5 ? ' …' : ''}`;
}

function risks(bases: readonly BoundImage[], tags: readonly BoundImage[], containers: Found<Container[]>): string[] {
  const isLatest = ({ name }: BoundImage) => /(?:^|\/)[^/:@]+(?::latest)?$/.test(name);
  const used = tags.flatMap(({ id }) => (id === null ? [] : usersOf(id, containers)));
  return [
    ...bases.filter(isLatest).map(({ name }) => `the base ${name} is the tag latest: it moves by itself`),
    ...bases
      .filter(({ id }) => id === null)
      .map(({ name }) => `the base ${name} comes from a registry during the build, unseen`),
    ...tags.filter(isLatest).map(({ name }) => `the tag ${name} says nothing of what it holds`),
    ...(used.length > 0 ? [`containers run what a tag stands for now: ${used.slice(0, 5).join(', ')}`] : []),
  ];
}

function undoText(tags: readonly BoundImage[]): string {
  return tags
    .map(({ name, id }) =>
      id === null
        ? `${name}: a person removes the tag (docker rmi ${name}).`
        : `${name}: a person moves it back (docker tag ${id} ${name}), as long as nobody has removed that image.`,
    )
    .join('\n');
}
