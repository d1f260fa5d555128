import type { Facts } from '../../core/facts.ts';
import type { Target } from '../../core/target.ts';
import type { PlanContext } from '../../core/tool.ts';
import { imageName } from './images.ts';
import { namedOne } from './names.ts';

type Kind = 'container' | 'image';

/** Something of the Engine's that is only looked at. */
export function engineTarget(kind: Kind, id: string, facts: Facts): Target {
  return { kind, id, effect: 'read', at: { dockerHost: facts.docker.host } };
}

/** What a look touches: the one that is named, else what it lists. */
export function lookTargets({ show, name }: { show: string; name?: string | undefined }, facts: Facts): Target[] {
  if (name !== undefined) return [engineTarget(show === 'images' ? 'image' : 'container', name, facts)];
  const containers = engineTarget('container', 'containers', facts);
  const images = engineTarget('image', 'images', facts);
  if (show === 'images') return [images];
  return show === 'events' || show === 'disk' ? [containers, images] : [containers];
}

/**
 * What a written name means on this Engine, with all that it is called there as targets: an id, or one of an image's
 * tags, stands for names that the policy decides on as well.
 *
 * @throws HoldpointError as namedOne does.
 */
export async function found(
  kind: Kind,
  written: string,
  context: PlanContext<'docker'>,
): Promise<{ id: string; name: string; targets: Target[] }> {
  const target = (name: string) => engineTarget(kind, name, context.facts);
  const visible = (name: string) => context.permits(target(name));
  if (kind === 'image') {
    const images = (await context.docker.imageList(context)).map((image) => ({
      ...image,
      names: image.tags.flatMap((tag) => (tag.endsWith(':latest') ? [tag, tag.slice(0, -':latest'.length)] : [tag])),
    }));
    const image = namedOne(kind, written, images, visible);
    const name = imageName(image);
    return { id: image.id, name, targets: [...new Set([name, ...image.tags])].map(target) };
  }
  const containers = (await context.docker.containers(context)).map((each) => ({ ...each, names: [each.name] }));
  const { id, name } = namedOne(kind, written, containers, visible);
  return { id, name, targets: [target(name)] };
}
