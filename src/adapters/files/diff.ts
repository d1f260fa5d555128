/** Lines that may differ before a diff is given up: its cost grows with their square. */
const MAX_EDITS = 4000;

/** A unified diff between two texts of one file; where they differ too much for one to be of use, that in words. */
export async function unifiedDiff(path: string, before: string, after: string): Promise<string> {
  if (before === after) return '';
  const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import('diff');
  const names = [before === '' ? '/dev/null' : `a/${path}`, after === '' ? '/dev/null' : `b/${path}`] as const;
  const patch = createTwoFilesPatch(...names, before, after, undefined, undefined, {
    context: 3,
    maxEditLength: MAX_EDITS,
    headerOptions: FILE_HEADERS_ONLY,
  });
  const lines = (text: string) => text.split('\n').length;
  return (
    patch ?? `${path}: ${lines(before)} lines become ${lines(after)}; they differ too much to show line by line.\n`
  );
}
