import type { Access } from './facts.ts';

/** What words say of access to files; undefined where they say nothing of it. What closes is looked for first. */
export function accessOf(words: string): Access | undefined {
  if (
    /\bden(?:y|ied)\b|\bno access\b|\bnot (?:accessible|modifiable|writable|readable|allowed)\b|\b(?:forbidden|prohibited|blocked|never)\b|\boff[- ]limits\b/i.test(
      words,
    )
  )
    return 'deny';
  if (/\bread(?:able)?[- ]only\b|\breference only\b/i.test(words)) return 'read';
  if (/\bread\s*\/\s*write\b|\bmodifiable\b|\bwritable\b|\bfull access\b/i.test(words)) return 'write';
  return undefined;
}

/** What a heading says of the tools under it. */
export function verdictOf(heading: string): 'allow' | 'hold' | 'deny' | undefined {
  if (
    /\bden(?:y|ied)\b|\bno access\b|\b(?:forbidden|prohibited|blocked|never)\b|\bdisallowed\b|\bnot allowed\b/i.test(
      heading,
    )
  )
    return 'deny';
  if (/\brestricted\b|\bapproval\b/i.test(heading)) return 'hold';
  return /\ballowed\b|\bavailable\b|\bpermitted\b/i.test(heading) ? 'allow' : undefined;
}

/** Whether a heading is over what only leads elsewhere, and not over what the role does. */
export function isReference(path: readonly string[]): boolean {
  return path.some((heading) =>
    /\bresources?\b|\breferences?\b|\bfurther reading\b|\btroubleshooting\b/i.test(heading),
  );
}

/** Whether a heading is over what the role does not do, or over other roles. */
export function isElsewhere(path: readonly string[]): boolean {
  return path.some((heading) =>
    /\bdon['’]?t\b|\bcannot\b|\bmust not\b|\banti-?patterns?\b|\brestricted\b|\bdenied\b|\bconsult\b|\bcoordination\b|\bcollaboration\b|\bintegration with\b/i.test(
      heading,
    ),
  );
}
