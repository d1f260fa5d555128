import type { Readable } from 'node:stream';

/** The Engine answers what takes its time with one JSON event a line. */
export async function readEvents(stream: Readable, take: (event: unknown) => void): Promise<void> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') take(JSON.parse(line));
  }
}
