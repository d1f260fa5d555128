import type { PreviewPart } from '../../core/plan.ts';
import { sizeText } from './table.ts';

export interface HeldPush {
  image: string;
  tag: string;
  registry: string;
  id: string;
  bytes: number;
  layers: number | null;
}

const MOVING = /^(?:latest|stable|edge|nightly|main|master|develop|dev|staging|prod|production|v?\d+(?:\.\d+)?)$/i;

/** A held push: what goes where, what it can break, and that nothing here takes it back. No registry is asked. */
export function pushParts({ image, tag, registry, id, bytes, layers }: HeldPush): PreviewPart[] {
  return [
    {
      kind: 'risks',
      items: [
        ...(MOVING.test(tag) ? [`the tag ${tag} is one that moves: it says little of what it holds`] : []),
        `if ${registry} has ${image} already, this replaces what it stands for (not looked up)`,
        `whoever may read ${registry} can take it from there at once`,
      ],
    },
    {
      kind: 'facts',
      title: 'Image',
      rows: [
        ['registry', registry],
        ['image', id],
        ['size', `${sizeText(bytes)} here; a registry keeps it compressed`],
        ['layers', layers === null ? 'unknown' : String(layers)],
      ],
    },
    {
      kind: 'undo',
      text: `A pushed image stays: a person deletes ${image} in the registry. Whoever has pulled it by then keeps it.`,
    },
  ];
}
