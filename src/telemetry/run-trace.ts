import { createHash } from 'node:crypto';

/** Where the spans of a run belong. */
export interface RunTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16; of the span that is the run itself. */
  readonly spanId: string;
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/**
 * A run's trace, the same in every process without anybody telling: a ULID has the 128 bits of a trace's id
 * (W3C Trace Context, trace-id), so that either is found by the other.
 */
export function traceOfRun(runId: string): RunTrace {
  const hash = createHash('sha256').update(runId).digest('hex');
  return { traceId: ULID.test(runId) ? hexOf(runId) : hash.slice(0, 32), spanId: hash.slice(-16) };
}

function hexOf(ulid: string): string {
  const bits = [...ulid].reduce((sum, letter) => (sum << 5n) | BigInt(ALPHABET.indexOf(letter)), 0n);
  return bits.toString(16).padStart(32, '0');
}
