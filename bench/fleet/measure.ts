import { performance } from 'node:perf_hooks';
import type { RequestEvent } from '../../src/registry/transport.ts';

/** What one scenario cost this process. */
export interface Cost {
  readonly seconds: number;
  /** Of this process: user and system. The registry's and Redis' own are not in it. */
  readonly cpuSeconds: number;
  readonly peakMiB: number;
  /** `HEAD manifest`: how often. */
  readonly requests: Readonly<Record<string, number>>;
  /** Requests that were answered with 429 or 5xx, or not at all. */
  readonly troubles: number;
}

/** Counts from its making to `stop`. */
export function startMeasuring() {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const requests: Record<string, number> = {};
  let troubles = 0;
  return {
    onRequest({ method, kind, status }: RequestEvent) {
      const name = `${method} ${kind}`;
      requests[name] = (requests[name] ?? 0) + 1;
      if (status === undefined || status === 429 || status >= 500) troubles += 1;
    },
    stop(): Cost {
      const { user, system } = process.cpuUsage(cpu);
      return {
        seconds: round((performance.now() - start) / 1000),
        cpuSeconds: round((user + system) / 1e6),
        peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
        requests: Object.fromEntries(Object.entries(requests).sort(([, a], [, b]) => b - a)),
        troubles,
      };
    },
  };
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
