const MOST_COMPARED = 64;

/** The candidates by edit distance from a wrong name, nearest first, letter case aside; with how far each is. For error messages. */
function ranked(name: string, candidates: Iterable<string>): { candidate: string; far: number }[] {
  const written = name.slice(0, MOST_COMPARED).toLowerCase();
  return [...candidates]
    .map((candidate) => ({ candidate, far: distance(written, candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
}

/** The candidates that a wrong name can have been meant as, best first; none where nothing is near. */
export function likely(name: string, candidates: Iterable<string>, most = 3): string[] {
  const limit = Math.max(2, Math.floor(name.length / 2));
  return ranked(name, candidates)
    .filter(({ far }) => far <= limit)
    .slice(0, most)
    .map(({ candidate }) => candidate);
}

/** The nearest candidate however far it is; undefined where there is none. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  return ranked(name, candidates)[0]?.candidate;
}

/** Levenshtein's distance, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
