import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { type Extract, extract, type Header } from 'tar-stream';
import { type EntryType, haveSameAttributes } from '../domain/content-diff.ts';
import { type Digest, digestOf } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Change, TreeEntry } from './tree.ts';
import { isZstd, zstdFrames } from './zstd-frames.ts';

export interface LayerOptions {
  /** Whose content is kept; by absolute path. */
  readonly wanted: (path: string) => boolean;
  /** Larger files have no content. */
  readonly maxFileBytes: number;
  /** Take a digest of each file as it passes; default no, for it costs time. */
  readonly digests?: boolean;
  /** What is the same as there is taken from there: of two images that are alike, one is in memory. Is added to. */
  readonly known?: KnownChanges | undefined;
}

/** The last change that was read of each path. */
export type KnownChanges = Map<string, Change>;

/** Of one layer, unpacked: small archives can unpack to something without end. */
const MAX_BYTES = 64 * 1024 ** 3;
const MAX_CHANGES = 2_000_000;

/** Small ones are garbage sooner than it is collected: a third more memory for 1 GiB. */
const CHUNK_BYTES = 256 * 1024;

/** Reads a layer (tar, also with gzip or zstd) as it comes, and keeps only what it changes. */
export async function readLayer(blob: AsyncIterable<Uint8Array>, options: LayerOptions): Promise<readonly Change[]> {
  const archive = extract();
  const changes: Change[] = [];
  const { head, rest } = await peek(blob, 4);
  await Promise.all([
    unpack(head, rest, archive),
    (async () => {
      for await (const entry of archive) {
        const change = await readEntry(entry, options);
        if (change !== undefined) changes.push(options.known ? remembered(change, options.known) : change);
        if (changes.length > MAX_CHANGES) throw endless(`more than ${MAX_CHANGES} files`);
      }
    })(),
  ]);
  return changes;
}

function remembered(change: Change, known: KnownChanges): Change {
  const other = known.get(change.path);
  if (other !== undefined && isSameChange(other, change)) return other;
  known.set(change.path, change);
  return change;
}

/** Whether two layers do the same to a path, as far as can be known. */
export function isSameChange(a: Change, b: Change): boolean {
  if (a === b) return true;
  if (a.kind === 'add' && b.kind === 'add' && !haveSameAttributes(a.entry, b.entry)) return false;
  return isDeepStrictEqual(a, b);
}

/** By its first bytes: media types of layers are not always right. */
async function unpack(head: Buffer, bytes: AsyncIterable<Uint8Array>, archive: Extract): Promise<void> {
  if (head.readUInt16BE(0) === 0x1f8b) return pipeline(bytes, createGunzip({ chunkSize: CHUNK_BYTES }), count, archive);
  if (isZstd(head))
    return pipeline(zstdFrames(bytes), createZstdDecompress({ chunkSize: CHUNK_BYTES }), count, archive);
  return pipeline(bytes, count, archive);
}

async function peek(blob: AsyncIterable<Uint8Array>, length: number) {
  const iterator = blob[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
    head = Buffer.concat([head, next.value]);
    if (head.length >= length) break;
  }
  async function* rest() {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { head: Buffer.concat([head, Buffer.alloc(length)]), rest: rest() };
}

async function* count(chunks: AsyncIterable<Uint8Array>) {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > MAX_BYTES) throw endless(`more than ${MAX_BYTES} bytes`);
    yield chunk;
  }
}

function endless(what: string): FactoryError<'usage'> {
  return new FactoryError(`a layer unpacks to ${what}; it is not read further`, { code: 'usage' });
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

type TarEntry = AsyncIterable<unknown> & { readonly header: Header; resume(): unknown };

async function readEntry(entry: TarEntry, options: LayerOptions): Promise<Change | undefined> {
  const { header } = entry;
  const path = absolute(header.name);
  const change = path === '/' ? undefined : toChange(path, header);
  if (change?.kind !== 'add' || change.entry.type !== 'file') {
    entry.resume();
    return change;
  }
  return { ...change, entry: { ...change.entry, ...(await readFile(entry, path, options)) } };
}

/** What is asked of a file; its bytes pass by, and only wanted ones stay. */
async function readFile(entry: TarEntry, path: string, options: LayerOptions): Promise<Partial<TreeEntry>> {
  const { size = 0 } = entry.header;
  const keep = fits(entry.header, options) && options.wanted(path);
  if (!keep && !options.digests) {
    entry.resume();
    return {};
  }
  if (!keep && size > CHUNK_BYTES) return { digest: await digestOfStream(entry) };
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const content = Buffer.concat(chunks);
  return { ...(options.digests && { digest: digestOf(content) }), ...(keep && { content }) };
}

async function digestOfStream(entry: TarEntry): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of entry as AsyncIterable<Uint8Array>) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

function fits({ size = 0 }: Header, { maxFileBytes }: LayerOptions): boolean {
  return size <= maxFileBytes;
}

const UNCLEAN = /\/\/|\/\.{1,2}(\/|$)|.\/$/;

/** `./etc/passwd` and `etc/passwd` are the same; `..` never leads out of the root. */
function absolute(name: string): string {
  const path = `/${name.replace(/^\.?\/+/, '')}`;
  // Most are clean; what posix.join returns has all its parts in memory as long as it is
  if (!UNCLEAN.test(path)) return path;
  const clean = posix.join('/', name);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

function toChange(path: string, header: Header): Change | undefined {
  const name = posix.basename(path);
  if (name === OPAQUE) return { kind: 'opaque', path: posix.dirname(path) };
  if (name.startsWith(WHITEOUT)) {
    return { kind: 'remove', path: posix.join(posix.dirname(path), name.slice(WHITEOUT.length)) };
  }
  if (header.type === 'link') return { kind: 'link', path, target: absolute(header.linkname ?? '') };
  const type = TYPES[header.type ?? 'file'];
  if (type === undefined) return undefined;
  const { mode = 0o644, uid = 0, gid = 0, size = 0, linkname } = header;
  const link = type === 'symlink' ? { linkname: linkname ?? '' } : {};
  const more = { ...link, ...deviceOf(type, header), ...attributesOf(header) };
  return { kind: 'add', path, entry: { type, mode: mode & 0o7777, uid, gid, size, ...more } };
}

function deviceOf(type: EntryType, { devmajor, devminor }: Header): Pick<TreeEntry, 'device'> {
  return type.endsWith('-device') ? { device: `${devmajor ?? 0}:${devminor ?? 0}` } : {};
}

const ATTRIBUTE = 'SCHILY.xattr.';

/** Extended attributes as tar has them (OCI image-spec v1.1 layer.md, File Attributes): capabilities, mostly. */
function attributesOf({ pax }: Header): Pick<TreeEntry, 'attributes'> {
  const found = Object.entries(pax ?? {}).filter(([name]) => name.startsWith(ATTRIBUTE));
  if (found.length === 0) return {};
  return { attributes: Object.fromEntries(found.map(([name, value]) => [name.slice(ATTRIBUTE.length), value])) };
}

const TYPES: Readonly<Record<string, EntryType | undefined>> = {
  file: 'file',
  'contiguous-file': 'file',
  directory: 'directory',
  symlink: 'symlink',
  'character-device': 'character-device',
  'block-device': 'block-device',
  fifo: 'fifo',
};
