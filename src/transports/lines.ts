/** Chunks of bytes as lines. */
export interface Lines {
  take(chunk: Buffer): void;
  /** What is left without a line break is a line too. */
  end(): void;
}

/**
 * Cuts a stream into lines; a line beyond `limit` bytes is not kept but skipped, and said once.
 *
 * @param tooLong is given what the line begins with.
 */
export function createLines(limit: number, line: (bytes: Buffer) => void, tooLong: (begins: Buffer) => void): Lines {
  let pending: Buffer[] = [];
  let bytes = 0;
  let skipping = false;
  const finish = (last: Buffer): void => {
    const whole = skipping ? undefined : Buffer.concat([...pending, last]);
    pending = [];
    bytes = 0;
    skipping = false;
    if (!whole) return;
    if (whole.length > limit) tooLong(whole);
    else line(whole);
  };
  return {
    take(chunk) {
      let rest = chunk;
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        const before = rest.subarray(0, end);
        rest = rest.subarray(end + 1);
        finish(before);
      }
      if (skipping || rest.length === 0) return;
      pending.push(rest);
      bytes += rest.length;
      if (bytes <= limit) return;
      const begins = Buffer.concat(pending);
      pending = [];
      bytes = 0;
      skipping = true;
      tooLong(begins);
    },
    end() {
      finish(Buffer.alloc(0));
    },
  };
}
