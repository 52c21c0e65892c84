import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import type { ApkListed } from '../domain/packages/apk-updates.ts';
import { ArchiveError } from './archives.ts';

/** One APKINDEX: names and versions only. */
export interface ApkIndex {
  readonly size: number;
  find(name: string): readonly ApkListed[];
}

/** Unpacked; Alpine's largest has some 15 MiB. */
const MAX_BYTES = 1024 ** 3;

/** Reads the part of an index that is signed: a packed tar with the file APKINDEX. */
export async function parseApkIndex(packed: Uint8Array, what: string): Promise<ApkIndex> {
  const found = new Map<string, string[]>();
  let there = false;
  try {
    const entries = extract();
    Readable.from([packed])
      .pipe(createGunzip())
      .on('error', (error) => entries.destroy(error))
      .pipe(entries);
    for await (const entry of entries) {
      if (entry.header.name !== 'APKINDEX') entry.resume();
      else await readStanzas(entry as AsyncIterable<Buffer>, found);
      there ||= entry.header.name === 'APKINDEX';
    }
  } catch (cause) {
    throw new ArchiveError(`${what} cannot be unpacked: ${(cause as Error).message}`, { code: 'protocol', cause });
  }
  if (!there) throw new ArchiveError(`${what} has no file APKINDEX in it`, { code: 'protocol' });
  return {
    size: found.size,
    find: (name) => (found.get(name) ?? []).map((line) => toListed(name, line)),
  };
}

async function readStanzas(chunks: AsyncIterable<Uint8Array>, found: Map<string, string[]>): Promise<void> {
  let left: Buffer = Buffer.alloc(0);
  let total = 0;
  let fields: Record<string, string> = {};
  const end = () => {
    const { P: name, V: version, A: architecture = '', o: source = '' } = fields;
    fields = {};
    if (name === undefined || version === undefined) return;
    const lines = found.get(name) ?? [];
    lines.push(`${version} ${architecture} ${source}`);
    found.set(name, lines);
  };
  const read = (line: string) => {
    if (line === '') end();
    else if (/^[PVAo]:/.test(line)) fields[line[0]!] = line.slice(2).trim();
  };
  for await (const chunk of chunks) {
    total += chunk.length;
    if (total > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
    const bytes = Buffer.concat([left, chunk]);
    let start = 0;
    for (let stop = bytes.indexOf(NEWLINE); stop !== -1; stop = bytes.indexOf(NEWLINE, start)) {
      read(bytes.toString('utf8', start, stop));
      start = stop + 1;
    }
    left = Buffer.from(bytes.subarray(start));
  }
  read(left.toString('utf8'));
  end();
}

const NEWLINE = 0x0a;

function toListed(name: string, line: string): ApkListed {
  const [version = '', architecture = '', source] = line.split(' ');
  return { version, architecture, source: source || name };
}
