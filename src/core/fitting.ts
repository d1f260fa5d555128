/** As many of the first strings as there is room for, in bytes of JSON; for lists in results, which are bounded. */
export function fitting(strings: readonly string[], maxBytes: number): string[] {
  let room = maxBytes;
  const end = strings.findIndex((text) => {
    room -= Buffer.byteLength(JSON.stringify(text)) + 1;
    return room < 0;
  });
  return strings.slice(0, end === -1 ? undefined : end);
}
