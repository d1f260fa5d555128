/** One step of a build as BuildKit reports it. */
interface Vertex {
  name: string;
  started: boolean;
  cached: boolean;
  error: string;
}

export interface BuildKitStatus {
  vertexes: Vertex[];
  /** Output of the steps, in pieces as it came. */
  logs: string[];
}

type Field = [number: number, value: Buffer | bigint];

/**
 * Reads a BuildKit trace (`moby.buildkit.v1.StatusResponse`, a protobuf message in base64). The vendor's own reader gives
 * the steps' output still encoded, where neither people nor redaction can read it.
 *
 * @throws RangeError for what is no such message.
 */
export function readStatus(base64: string): BuildKitStatus {
  const fields = [...message(Buffer.from(base64, 'base64'))];
  const parts = (wanted: number) =>
    fields
      .filter(([number, value]) => number === wanted && typeof value !== 'bigint')
      .map(([, value]) => value as Buffer);
  return {
    vertexes: parts(1).map((bytes) => {
      const vertex = new Map(message(bytes));
      return {
        name: text(vertex.get(3)),
        cached: vertex.get(4) === 1n,
        started: vertex.has(5),
        error: text(vertex.get(7)),
      };
    }),
    logs: parts(3).map((bytes) => text(new Map(message(bytes)).get(4))),
  };
}

function text(value: Buffer | bigint | undefined): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : '';
}

function* message(bytes: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes.readUInt8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('A number is too long.');
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const number = key >>> 3;
    const kind = key & 7;
    if (kind === 0) yield [number, varint()];
    else if (kind === 1 || kind === 5) at += kind === 1 ? 8 : 4;
    else if (kind === 2) {
      const length = Number(varint());
      if (at + length > bytes.length) throw new RangeError('A field is longer than its message.');
      yield [number, bytes.subarray(at, at + length)];
      at += length;
    } else throw new RangeError(`No field is of kind ${kind}.`);
  }
}
