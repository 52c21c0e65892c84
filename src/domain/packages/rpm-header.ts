import type { InstalledPackage } from './state.ts';

/** What of an installed package's header counts here. */
export interface RpmHeader {
  readonly package: InstalledPackage;
  /** Names that it provides, with the version where it gives one. */
  readonly provides: ReadonlyMap<string, string>;
}

/** Numbers of tags (rpm, include/rpm/rpmtag.h). */
const TAG = {
  ...{ name: 1000, version: 1001, release: 1002, epoch: 1003, architecture: 1022, source: 1044 },
  ...{ provideName: 1047, provideVersion: 1113 },
};

const INT32 = 4;
const STRINGS = [6, 8, 9];

/**
 * Reads a header as rpm's databases store it: two lengths, then entries of tag, type, offset and count, then the data
 * they point into; all numbers are big-endian (rpm, docs/manual/format_header.md, without the magic).
 * @throws RangeError when it is cut off; `undefined` for what is no package: keys are stored as `gpg-pubkey`
 */
export function parseRpmHeader(blob: Uint8Array): RpmHeader | undefined {
  const tags = readTags(blob);
  const textOf = (tag: number) => tags.strings(tag)[0];
  const name = textOf(TAG.name);
  const version = textOf(TAG.version);
  const release = textOf(TAG.release);
  if (name === undefined || version === undefined || release === undefined) return undefined;
  if (name === 'gpg-pubkey') return undefined;
  const { source, sourceVersion } = parseSourceRpm(textOf(TAG.source), name, `${version}-${release}`);
  const versions = tags.strings(TAG.provideVersion);
  return {
    package: {
      name,
      version: `${tags.number(TAG.epoch) ?? 0}:${version}-${release}`,
      architecture: textOf(TAG.architecture) ?? 'noarch',
      source,
      sourceVersion,
    },
    provides: new Map(tags.strings(TAG.provideName).map((provided, index) => [provided, versions[index] ?? ''])),
  };
}

/** `openssl-3.0.7-27.el9.src.rpm`; a package without one is its own source. */
export function parseSourceRpm(file: string | undefined, name: string, version: string) {
  const [, source = name, sourceVersion = version] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file ?? '') ?? [];
  return { source, sourceVersion };
}

interface Tags {
  number(tag: number): number | undefined;
  strings(tag: number): readonly string[];
}

const ENTRY_BYTES = 16;

function readTags(blob: Uint8Array): Tags {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const count = view.getUint32(0);
  const data = 8 + count * ENTRY_BYTES;
  const entries = new Map<number, { type: number; at: number; count: number }>();
  for (let index = 0, at = 8; index < count; index++, at += ENTRY_BYTES) {
    const [tag, type, offset, items] = [0, 4, 8, 12].map((field) => view.getUint32(at + field)) as number[];
    entries.set(tag!, { type: type!, at: data + offset!, count: items! });
  }
  return {
    number(tag) {
      const entry = entries.get(tag);
      return entry?.type === INT32 ? view.getUint32(entry.at) : undefined;
    },
    strings(tag) {
      const entry = entries.get(tag);
      return entry === undefined || !STRINGS.includes(entry.type) ? [] : readStrings(blob, entry.at, entry.count);
    },
  };
}

/** Each ends with a zero byte. */
function readStrings(blob: Uint8Array, from: number, count: number): readonly string[] {
  const decoder = new TextDecoder();
  const found: string[] = [];
  for (let at = from; found.length < count; ) {
    const end = blob.indexOf(0, at);
    if (end === -1) throw new RangeError('a header of the rpm database is cut off');
    found.push(decoder.decode(blob.subarray(at, end)));
    at = end + 1;
  }
  return found;
}
