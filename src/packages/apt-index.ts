import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import xz from 'xz-decompress';
import type { Listed } from '../domain/packages/apt-updates.ts';
import { ArchiveError } from './archives.ts';

/** One Packages file: names and versions only, 63,000 of them in some 10 MiB. */
export interface AptIndex {
  readonly size: number;
  find(name: string): readonly Listed[];
}

/** Endings of compressed indexes that are understood, the quickest first. */
export const INDEX_ENDINGS = ['.zst', '.gz', '.xz', ''] as const;

/** Of one index, unpacked; Debian's largest has 60 MiB. */
const MAX_BYTES = 2 * 1024 ** 3;

/** Reads an index as it is unpacked; what is not needed is never kept. */
export async function parseAptIndex(packed: Uint8Array, path: string): Promise<AptIndex> {
  const found = new Map<string, string | string[]>();
  try {
    await readStanzas(unpackIndex(packed, path), (name, rest) => {
      const before = found.get(name);
      if (before === undefined) found.set(name, rest);
      else if (typeof before === 'string') found.set(name, [before, rest]);
      else before.push(rest);
    });
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause;
    throw new ArchiveError(`${path} cannot be unpacked: ${(cause as Error).message}`, { code: 'protocol', cause });
  }
  return {
    size: found.size,
    find(name) {
      const entry = found.get(name);
      if (entry === undefined) return [];
      return (typeof entry === 'string' ? [entry] : entry).map((line) => toListed(name, line));
    },
  };
}

/** The content of an index, by the ending of its path. */
export function unpackIndex(packed: Uint8Array, path: string): AsyncIterable<Uint8Array> {
  const source = Readable.from(chunksOf(packed), { objectMode: false });
  if (path.endsWith('.gz')) return source.pipe(createGunzip());
  if (path.endsWith('.zst')) return source.pipe(createZstdDecompress());
  if (!path.endsWith('.xz')) return source;
  return new xz.XzReadableStream(
    Readable.toWeb(source) as ReadableStream<Uint8Array>,
  ) as unknown as AsyncIterable<Uint8Array>;
}

function* chunksOf(bytes: Uint8Array) {
  for (let at = 0; at < bytes.length; at += 256 * 1024) yield bytes.subarray(at, at + 256 * 1024);
}

const NEWLINE = 0x0a;

/** Line by line in bytes: a text of the whole would be kept in memory by each small piece cut out of it. */
async function readStanzas(chunks: AsyncIterable<Uint8Array>, emit: (name: string, rest: string) => void) {
  let stanza: Fields = {};
  let left: Buffer = Buffer.alloc(0);
  let total = 0;
  const end = () => {
    const { package: name, version, architecture = 'all', source } = stanza;
    if (name !== undefined && version !== undefined) emit(name, [version, architecture, source ?? ''].join(' '));
    stanza = {};
  };
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
    const bytes =
      left.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([left, chunk]);
    let start = 0;
    for (let stop = bytes.indexOf(NEWLINE); stop !== -1; stop = bytes.indexOf(NEWLINE, start)) {
      if (stop === start) end();
      else readField(bytes, start, stop, stanza);
      start = stop + 1;
    }
    left = Buffer.from(bytes.subarray(start));
  }
  if (left.length > 0) readField(left, 0, left.length, stanza);
  end();
}

interface Fields {
  package?: string;
  version?: string;
  architecture?: string;
  /** As written: with the source's version when that differs. */
  source?: string;
}

const FIELDS = (['Package', 'Version', 'Architecture', 'Source'] as const).map((name) => ({
  key: name.toLowerCase() as keyof Fields,
  prefix: Buffer.from(`${name}:`),
}));

function readField(bytes: Buffer, start: number, stop: number, stanza: Fields): void {
  const first = bytes[start];
  for (const { key, prefix } of FIELDS) {
    if (first !== prefix[0] || bytes.compare(prefix, 0, prefix.length, start, start + prefix.length) !== 0) continue;
    stanza[key] = bytes.toString('latin1', start + prefix.length, stop).trim();
    return;
  }
}

function toListed(name: string, line: string): Listed {
  const [version = '', architecture = '', source] = line.split(' ');
  return { version, architecture, source: source || name };
}
