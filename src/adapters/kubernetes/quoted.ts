import { cutAtWord, cutInside } from '../../core/cut.ts';

const MAX = 400;

/** A remote system's words for use inside a sentence of ours: one line, no control characters, bounded, in quotes. */
export function quoted(text: string, max = MAX): string {
  return JSON.stringify(plain(text, max));
}

/** A remote system's words as data: one line, no control or bidirectional characters, bounded. */
export function plain(text: string, max = MAX): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length <= max ? line : `${cutAtWord(line, max)}…`;
}

/** As `plain`, but of a long text both ends: chains of errors begin with what was wanted and end with the cause. */
export function plainEnds(text: string, max: number): string {
  return cutInside(plain(text, Number.POSITIVE_INFINITY), max);
}

/** Without the `NAME_NAMESPACE(UID)` in which a kubelet names the pod that its message is about anyway. */
export function withoutUid(message: string): string {
  return message.replace(/ ?\bpod[=:] ?"?[\w.-]+\([\da-f-]{36}\)"?\.?/g, '').trim();
}
