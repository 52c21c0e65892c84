/** One field of a message as it lies on the wire (protobuf encoding, wire types 0, 1, 2 and 5). */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** Reads a message without its schema: enough for a test that knows the numbers of the fields. */
export function readMessage(bytes: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    const part = bytes.subarray(at, at + length);
    if (part.length < length) throw new Error('the message ends too soon');
    at += length;
    return part;
  };
  const fixed = (length: number) => take(length).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  while (at < bytes.length) {
    const key = varint();
    const type = Number(key & 7n);
    const number = Number(key >> 3n);
    if (type === 0) fields.push({ number, value: varint() });
    else if (type === 1) fields.push({ number, value: fixed(8) });
    else if (type === 5) fields.push({ number, value: fixed(4) });
    else if (type === 2) fields.push({ number, value: take(Number(varint())) });
    else throw new Error(`wire type ${type}`);
  }
  return fields;
}

/** All values of a field that are messages, texts or bytes. */
export function bytesOf(fields: readonly Field[], number: number): readonly Uint8Array[] {
  return fields.flatMap((field) => (field.number === number && field.value instanceof Uint8Array ? [field.value] : []));
}

export function textOf(fields: readonly Field[], number: number): string {
  return Buffer.from(bytesOf(fields, number)[0] ?? []).toString('utf8');
}

export function numberOf(fields: readonly Field[], number: number): bigint {
  const found = fields.find((field) => field.number === number)?.value;
  return typeof found === 'bigint' ? found : 0n;
}
