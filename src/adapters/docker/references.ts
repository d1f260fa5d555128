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
