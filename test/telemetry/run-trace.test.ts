import fc from 'fast-check';
import { ulid } from 'ulid';
import { describe, expect, test } from 'vitest';
import { traceOfRun } from '../../src/telemetry/run-trace.ts';

describe('the trace of a run', () => {
  test('has the 128 bits of its ULID', () => {
    // From the specification of ULID: the largest, and the smallest
    expect(traceOfRun('7ZZZZZZZZZZZZZZZZZZZZZZZZZ').traceId).toBe('f'.repeat(32));
    expect(traceOfRun('00000000000000000000000001').traceId).toBe(`${'0'.repeat(31)}1`);
    expect(traceOfRun('01ARYZ6S41TSV4RRFFQ69G5FAV').traceId).toBe('01563df3648' + '1d676' + '4c61efb99302bd5b');
  });

  test('begins with the time of the run', () => {
    const at = Date.parse('2026-11-24T02:00:00Z');

    expect(Number.parseInt(traceOfRun(ulid(at)).traceId.slice(0, 12), 16)).toBe(at);
  });

  test('is another for each run, and the same each time', () => {
    const run = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map((time) => ulid(time));

    fc.assert(
      fc.property(run, run, (a, b) => {
        expect(traceOfRun(a)).toEqual(traceOfRun(a));
        expect(traceOfRun(a).traceId === traceOfRun(b).traceId).toBe(a === b);
      }),
    );
  });

  test.each(['base-0123', '', 'ZZZZZZZZZZZZZZZZZZZZZZZZZZ'])('is a valid one for %j, which is no ULID', (id) => {
    expect(traceOfRun(id).traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(traceOfRun(id).spanId).toMatch(/^[0-9a-f]{16}$/);
  });
});
