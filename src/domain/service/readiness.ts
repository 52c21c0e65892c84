import type { Readiness } from '../facts.ts';
import type { Platform } from '../platform.ts';
import type { WorkerView } from './workers.ts';

/** A platform can be built when somebody is there who builds it, and has the disk for it. */
export function readinessOf(platform: Platform, workers: readonly WorkerView[]): Readiness {
  const able = workers.filter(
    ({ roles, platforms, stopping }) =>
      roles.includes('build') && !stopping && platforms.some((each) => each.platform === platform),
  );
  if (able.some(({ lowDisk }) => lowDisk === undefined)) return { ready: true };
  if (able.length > 0) {
    const hosts = [...new Set(able.map(({ host }) => host))].sort().join(', ');
    const why = `every worker for ${platform} has too little disk: ${hosts}`;
    return { ready: false, why, remedy: 'make room there; they go on by themselves' };
  }
  return {
    ready: false,
    why: `no worker builds ${platform}`,
    remedy: `start one: "ingot worker --roles build --platforms ${platform}"`,
  };
}
