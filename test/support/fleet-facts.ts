import type { FreshnessSample } from '../../src/domain/freshness.ts';
import type { PlanEntry } from '../../src/domain/plan.ts';
import type { FleetFacts } from '../../src/telemetry/fleet-facts.ts';

export const NOW = '2026-11-24T02:00:00.000Z';
const OLD = '2026-11-23T14:00:00.000Z';
const [FROM, TO] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`] as const;
const DEBIAN = 'docker.io/library/debian:12-slim';

const FRESH: PlanEntry = { image: 'child', state: 'fresh', reasons: [], holds: [] };

/** Everything has gone wrong that can: an image waits for several things, queues are full, a host says no. */
export function fleetFacts(change: Partial<FleetFacts> = {}): FleetFacts {
  const base: PlanEntry = {
    image: 'base',
    state: 'held',
    reasons: [
      { kind: 'base-changed', name: DEBIAN, from: FROM, to: TO, created: OLD },
      { kind: 'vulnerability-fixable', findings: ['one', 'two'].map((id) => finding(id, 'critical')) },
    ],
    holds: [
      { kind: 'backing-off', failures: 4, until: NOW },
      { kind: 'blocked', at: OLD, why: 'policy' },
    ],
  };
  const queue = { delayed: 0, running: 1, stalled: 1, blocked: 2, failed: 3, oldest: OLD } as const;
  return {
    fleet: {
      ...{ name: 'acme', source: '.', digest: FROM, loadedAt: OLD, checkedAt: NOW, images: 2, registry: 'r/acme' },
      platforms: ['linux/amd64'],
      refused: { at: NOW, message: 'a mistake', mistakes: [] },
    },
    plan: { at: NOW, entries: [base, FRESH] },
    queues: [
      { ...queue, name: 'build-linux-amd64', role: 'build', platform: 'linux/amd64', waiting: 7, workers: 0 },
      { ...queue, name: 'plan', role: 'scheduler', waiting: 0, workers: 0 },
    ],
    workers: [],
    budgets: [
      {
        ...{ host: 'registry-1.docker.io', kind: 'registry', identity: 'anonymous', limit: 100, remaining: 0 },
        ...{ pausedUntil: NOW, waiting: 2, spentToday: 100 },
      },
    ],
    upstreams: [
      { name: DEBIAN, digest: TO, firstSeenAt: '2026-11-23T15:00:00.000Z', platforms: {}, images: ['base'] },
      { name: 'docker.io/library/node:22', platforms: {}, images: ['node'], unknown: 'it does not answer' },
    ],
    freshness: {
      goals: { releaseSeconds: 3600 },
      samples: [
        sampleOf('b', '2026-11-21T22:00:00.000Z', '2026-11-22T00:00:00.000Z'),
        sampleOf('a', '2026-11-20T23:00:00.000Z', '2026-11-21T00:00:00.000Z'),
        sampleOf('c', '2026-11-23T14:00:00.000Z'),
      ],
      breaches: [
        {
          ...{ image: 'base', goal: 'release', goalSeconds: 3600, seconds: 7200, upstream: DEBIAN, running: true },
          ...{ changedAt: '2026-11-23T14:00:00.000Z', since: '2026-11-23T15:00:00.000Z' },
        },
      ],
    },
    hooks: [
      {
        ...{ dialect: 'harbor', configured: true, unknown: [] },
        counts: { accepted: 3, coalesced: 1, unknown: 0, refused: 0, invalid: 0 },
      },
    ],
    channels: [{ name: 'ops', kind: 'slack', sent: 5, failed: 1, waiting: 2 }],
    ...change,
  };
}

function sampleOf(run: string, changedAt: string, releasedAt?: string): FreshnessSample {
  const about = { id: `base|${run}`, image: 'base', kind: 'upstream', upstream: DEBIAN, run } as const;
  return { ...about, changedAt, detectedAt: changedAt, ...(releasedAt && { outcome: 'released', releasedAt }) };
}

function finding(id: string, severity: 'critical' | 'high') {
  return { id: `CVE-2026-${id}`, severity, source: 'openssl', installed: '3.0.1', fixed: '3.0.2' };
}
