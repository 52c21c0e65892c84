import { digestOf } from '../../src/domain/digest.ts';
import type { FreshnessSample } from '../../src/domain/freshness.ts';

export const DEBIAN = 'docker.io/library/debian:12';

/** The time so many minutes after a certain midnight. */
export function minute(minutes: number): string {
  return new Date(Date.parse('2026-11-01T00:00:00.000Z') + minutes * 60_000).toISOString();
}

/** A change of debian at midnight that was seen ten minutes later. */
export function sampleOf(image: string, over: Partial<FreshnessSample> = {}): FreshnessSample {
  return {
    ...{ id: `${image}|1`, image, kind: 'upstream', upstream: DEBIAN, digest: digestOf('second') },
    ...{ changedAt: minute(0), detectedAt: minute(10), platforms: { 'linux/amd64': {} } },
    ...over,
  };
}

/** The same, released after so many minutes. */
export function released(image: string, after: number, over: Partial<FreshnessSample> = {}): FreshnessSample {
  const end = {
    outcome: 'released',
    releasedAt: minute(after),
    version: '12.0.1',
    release: digestOf('release'),
  } as const;
  const platforms = { 'linux/amd64': { builtAt: minute(after - 1) } };
  return sampleOf(image, { ...end, platforms, run: '01KB0000000000000000000001', ...over });
}
