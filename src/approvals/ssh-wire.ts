/** Reads the fields of SSH's binary format (RFC 4251 §5) in order. @throws RangeError at a field that is cut or at bytes left over. */
export interface WireReader {
  bytes(count: number): Buffer;
  byte(): number;
  uint32(): number;
  /** A length and so many bytes. */
  string(): Buffer;
  text(): string;
  /** @throws RangeError unless everything was read. */
  end(): void;
}

export function readWire(data: Buffer): WireReader {
  let at = 0;
  const bytes = (count: number): Buffer => {
    if (count > data.length - at) throw new RangeError('cut short');
    at += count;
    return data.subarray(at - count, at);
  };
  const uint32 = () => bytes(4).readUInt32BE();
  const string = () => bytes(uint32());
  return {
    bytes,
    byte: () => bytes(1).readUInt8(),
    uint32,
    string,
    text: () => string().toString('latin1'),
    end() {
      if (at !== data.length) throw new RangeError('bytes left over');
    },
  };
}

export function wireString(value: Buffer | string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
