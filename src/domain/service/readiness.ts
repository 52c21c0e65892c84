import type { Readiness } from '../facts.ts';
import type { Platform } from '../platform.ts';
import type { WorkerView } from './workers.ts';

/** Who builds a platform, and does not stop. */
export function buildersOf(platform: Platform, workers: readonly WorkerView[]): readonly WorkerView[] {
  return workers.filter(
    ({ roles, platforms, stopping }) =>
      roles.includes('build') && !stopping && platforms.some((each) => each.platform === platform),
  );
}

/** A platform can be built when somebody is there who builds it, and has the disk for it. */
export function buildReadiness(platform: Platform, workers: readonly WorkerView[]): Readiness {
  const builders = buildersOf(platform, workers);
  if (builders.some(({ lowDisk }) => lowDisk === undefined)) return { ready: true };
  if (builders.length > 0) {
    const hosts = [...new Set(builders.map(({ host }) => host))].sort().join(', ');
    const why = `every worker for ${platform} has too little disk: ${hosts}`;
    return { ready: false, why, remedy: 'make room there; they go on by themselves' };
  }
  return {
    ready: false,
    why: `no worker builds ${platform}`,
    remedy: `start one: "ingot worker --roles build --platforms ${platform}"`,
  };
}
