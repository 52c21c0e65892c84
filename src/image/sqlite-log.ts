/** What the file format of SQLite says of its write-ahead log (sqlite.org/fileformat2.html, 4. The Write-Ahead Log). */
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

/**
 * A database with what its write-ahead log holds put in, as one file that can be opened on its own. An image has a log
 * with content when the program that wrote it did not end properly.
 */
export function withLog(database: Uint8Array, log: Uint8Array | undefined): Uint8Array {
  const pages = log === undefined || log.length < HEADER_BYTES ? undefined : committedPages(log);
  const whole = pages === undefined || pages.size === 0 ? Uint8Array.from(database) : overlaid(database, pages);
  // Both version numbers say "rollback journal": nothing is beside the file any more.
  whole.fill(1, 18, 20);
  return whole;
}

interface Pages extends ReadonlyMap<number, Uint8Array> {
  readonly pageSize: number;
  /** In pages. */
  readonly length: number;
}

/** Pages up to the last commit; frames of before the log was begun anew have other salts. */
function committedPages(log: Uint8Array): Pages | undefined {
  const view = new DataView(log.buffer, log.byteOffset, log.length);
  if ((view.getUint32(0) & ~1) >>> 0 !== MAGIC) return undefined;
  const pageSize = view.getUint32(8);
  const salts = view.getBigUint64(16);
  const frame = FRAME_HEADER_BYTES + pageSize;
  const committed = new Map<number, Uint8Array>();
  let pending: [number, Uint8Array][] = [];
  let length = 0;
  for (let at = HEADER_BYTES; at + frame <= log.length; at += frame) {
    if (view.getBigUint64(at + 8) !== salts) break;
    const content = log.subarray(at + FRAME_HEADER_BYTES, at + frame);
    pending.push([view.getUint32(at), content]);
    const size = view.getUint32(at + 4);
    if (size === 0) continue;
    for (const [page, bytes] of pending) committed.set(page, bytes);
    pending = [];
    length = size;
  }
  return Object.assign(committed, { pageSize, length });
}

function overlaid(database: Uint8Array, pages: Pages): Uint8Array {
  const { pageSize, length } = pages;
  const whole = new Uint8Array(length * pageSize);
  whole.set(database.subarray(0, whole.length));
  for (const [page, bytes] of pages) if (page <= length) whole.set(bytes, (page - 1) * pageSize);
  return whole;
}
