import type { ImageInfo } from 'dockerode';

import type { Container } from './containers.ts';
import { ageText, sizeText } from './table.ts';
import type { Table } from './table.ts';

export interface Image {
  /** `sha256:…` */
  id: string;
  tags: string[];
  bytes: number;
  /** Seconds since 1970. */
  created: number;
}

const MOST_USERS = 3;

export function readImage({ Id, RepoTags, Size, Created }: ImageInfo): Image {
  // Old Engines call an image without a tag `<none>:<none>`.
  const tags = (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>');
  return { id: Id, tags, bytes: Size, created: Created };
}

/** How people name it: its first tag, or the beginning of its id. */
export function imageName({ id, tags }: Image): string {
  return tags[0] ?? id.slice('sha256:'.length, 'sha256:'.length + 12);
}

/**
 * What an Engine knows of the image behind a reference: id, size and age, for people.
 *
 * @param now Seconds since 1970.
 */
export function imageFacts(images: readonly Image[], reference: string, now: number): string {
  const wanted = shortName(reference);
  const found = images.find(({ id, tags }) => id === reference || tags.some((tag) => shortName(tag) === wanted));
  if (found === undefined) return 'not on the Docker Engine here';
  const { id, bytes, created } = found;
  return `${id.slice(0, 'sha256:'.length + 12)}, ${sizeText(bytes)}, made ${ageText(now - created)} ago`;
}

/** As `docker images` lists it: without what Docker fills in. */
function shortName(reference: string): string {
  const name = reference.replace(/^docker\.io\//, '').replace(/^library\//, '');
  return /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
}

/** @param now Seconds since 1970. */
export function imageTable(images: readonly Image[], containers: readonly Container[], now: number): Table {
  return {
    columns: ['image', 'size', 'age', 'used by'],
    rows: images.map((image) => {
      const users = containers.filter(({ imageId }) => imageId === image.id).map(({ name }) => name);
      const more = users.length > MOST_USERS ? ` +${users.length - MOST_USERS}` : '';
      return [
        image.tags.join(', ') || imageName(image),
        sizeText(image.bytes),
        ageText(now - image.created),
        users.slice(0, MOST_USERS).join(', ') + more,
      ];
    }),
  };
}
