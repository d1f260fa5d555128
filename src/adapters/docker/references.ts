import { HoldpointError } from '../../core/errors.ts';

const COMPONENT = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`;
const HOST = String.raw`(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]{1,5})?`;
const TAGGED = new RegExp(String.raw`^(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*(?::([\w][\w.-]{0,127}))?$`);
const MAX = 255;

/**
 * A name to build an image under, `latest` filled in, by the grammar of image references.
 *
 * @throws HoldpointError `invalid_input` for anything else, digests included: a build cannot choose its digest.
 */
export function checkedTag(written: string): string {
  const match = written.length <= MAX ? TAGGED.exec(written) : null;
  if (match === null) {
    throw new HoldpointError('invalid_input', `${JSON.stringify(written.slice(0, 200))} is no image name.`, {
      hint: 'Write [host/]name[:tag] with a lower-case name, such as registry.example.org/api:1.2.0.',
    });
  }
  return match[1] === undefined ? `${written}:latest` : written;
}

/** A name to push, taken apart. */
export interface RegistryReference {
  /** As written. */
  image: string;
  /** Without the tag. */
  repository: string;
  tag: string;
  /** host[:port] */
  registry: string;
  /** Without the port. */
  host: string;
}

/**
 * A name that says where it is pushed to: registry, name and tag, none of them filled in. Its host has no second spelling
 * (capitals, `0x7f.1`, `index.docker.io`), for the policy decides on it.
 *
 * @throws HoldpointError `invalid_input` for anything else.
 */
export function registryReference(written: string): RegistryReference {
  const image = checkedTag(written);
  const refuse = (why: string, hint: string) =>
    new HoldpointError('invalid_input', `${JSON.stringify(written)} ${why}.`, { hint });
  if (image !== written) throw refuse('names no tag', `Write the tag that is pushed: ${written}:1.2.0.`);
  const [registry = '', ...path] = written.split('/');
  // Docker's own rule of what is a registry and what the first part of a name on Docker Hub.
  if (path.length === 0 || !(/[.:A-Z]/.test(registry) || registry === 'localhost'))
    throw refuse(
      'names no registry, which would mean Docker Hub',
      `Write registry.example.org/${written}, or docker.io/${path.length === 0 ? 'library/' : ''}${written} if it is meant.`,
    );
  const [host = ''] = registry.split(':');
  const address = `http://${registry}`;
  if (!URL.canParse(address) || new URL(address).hostname !== host)
    throw refuse('spells its registry in an unusual way', 'Write the host in plain lower-case letters, or 127.0.0.1.');
  if (host === 'index.docker.io') throw refuse('is on Docker Hub', 'Write docker.io in place of index.docker.io.');
  const colon = image.lastIndexOf(':');
  return { image, repository: image.slice(0, colon), tag: image.slice(colon + 1), registry, host };
}
