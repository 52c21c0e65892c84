import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** The log of a child: a file that never grows over its cap, and the last of it at hand for error messages. */
export interface LogFile {
  readonly path: string;
  /** After `close` only the tail grows: what a dying child says last comes when it likes. */
  write(chunk: Buffer): void;
  /** The last lines since the file was opened. */
  tail(): string;
  close(): void;
}

const CAP_BYTES = 4 * 1024 * 1024;
const TAIL_BYTES = 4 * 1024;

/** Appends; a full file becomes `<path>.1`, in the place of an older one. */
export function openLogFile(path: string, cap: number = CAP_BYTES): LogFile {
  mkdirSync(dirname(path), { recursive: true });
  let descriptor: number | undefined = openSync(path, 'a', 0o600);
  let size = fstatSync(descriptor).size;
  let last = Buffer.alloc(0);

  function rotate(full: number): number {
    closeSync(full);
    renameSync(path, `${path}.1`);
    size = 0;
    return openSync(path, 'w', 0o600);
  }

  function close(): void {
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = undefined;
  }

  return {
    path,
    write: (chunk) => {
      last = Buffer.concat([last, chunk]).subarray(-TAIL_BYTES);
      if (descriptor === undefined) return;
      if (size + chunk.length > cap && size > 0) descriptor = rotate(descriptor);
      size += writeSync(descriptor, chunk.subarray(0, cap));
    },
    tail: () => last.toString('utf8').trimEnd().split('\n').slice(-8).join('\n'),
    close,
  };
}
