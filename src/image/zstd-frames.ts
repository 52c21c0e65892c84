/** RFC 8878, 3.1: a frame, and one whose content is skipped. */
const FRAME = 0xfd2fb528;
const isSkippable = (magic: number) => magic >>> 4 === 0x184d2a5;

const DICTIONARY_BYTES = [0, 1, 2, 4];
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const CHECKSUM_BYTES = 4;
const REPEATED_BYTE = 1;

/** Whether a stream begins as zstd does; zstd:chunked and seekable files may begin with a skippable frame. */
export function isZstd(head: Buffer): boolean {
  const magic = head.readUInt32LE(0);
  return magic === FRAME || isSkippable(magic);
}

/**
 * The same bytes, cut so that no piece reaches over the end of a frame, without skippable frames. Node's decompressor
 * takes what follows a frame in the same piece for the end of everything, and layers of zstd:chunked have a frame for
 * each file.
 * @throws Error when something follows that is no frame, or a frame is cut short
 */
export async function* zstdFrames(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = createSource(chunks);
  while (await source.has(4)) {
    const magic = source.peek(4).readUInt32LE(0);
    if (isSkippable(magic)) {
      const size = (await source.take(8)).readUInt32LE(4);
      for await (const _ of source.pass(size));
    } else if (magic === FRAME) yield* frame(source);
    else throw new Error('a zstd layer has something else after a frame');
  }
  if (await source.has(1)) throw new Error('a zstd layer ends within a frame');
}

async function* frame(source: Source): AsyncGenerator<Uint8Array> {
  const start = await source.take(5);
  const descriptor = start[4]!;
  const single = (descriptor & 0x20) !== 0;
  const contentSize = single && descriptor >>> 6 === 0 ? 1 : CONTENT_SIZE_BYTES[descriptor >>> 6]!;
  yield start;
  yield await source.take((single ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]! + contentSize);
  for (let isLast = false; !isLast; ) {
    const header = await source.take(3);
    const bits = header.readUIntLE(0, 3);
    isLast = (bits & 1) === 1;
    const isRepeated = ((bits >>> 1) & 3) === REPEATED_BYTE;
    yield header;
    yield* source.pass(isRepeated ? 1 : bits >>> 3);
  }
  if ((descriptor & 4) !== 0) yield await source.take(CHECKSUM_BYTES);
}

type Source = ReturnType<typeof createSource>;

/** Reads bytes by count from pieces of any size. */
function createSource(chunks: AsyncIterable<Uint8Array>) {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const has = async (count: number): Promise<boolean> => {
    while (rest.length < count) {
      const next = await iterator.next();
      if (next.done) return false;
      const { buffer, byteOffset, byteLength } = next.value;
      const more = Buffer.from(buffer, byteOffset, byteLength);
      rest = rest.length === 0 ? more : Buffer.concat([rest, more]);
    }
    return true;
  };
  const cut = (count: number): Buffer => {
    const taken = rest.subarray(0, count);
    rest = rest.subarray(count);
    return taken;
  };
  return {
    has,
    peek: (count: number) => rest.subarray(0, count),
    async take(count: number): Promise<Buffer> {
      if (!(await has(count))) throw new Error('a zstd layer ends within a frame');
      return cut(count);
    },
    /** As they come, without gathering them. */
    async *pass(count: number): AsyncGenerator<Uint8Array> {
      for (let left = count; left > 0; ) {
        if (!(await has(1))) throw new Error('a zstd layer ends within a frame');
        const piece = cut(Math.min(left, rest.length));
        left -= piece.length;
        yield piece;
      }
    },
  };
}
