import { mkdir, statfs } from 'node:fs/promises';
import type { Reference } from '../domain/reference.ts';
import type { PlanDeps } from '../flows/gather.ts';
import { verdictBasis } from '../flows/verdict.ts';
import type { SharedParts } from './session.ts';

/** What a build of a large image may write: context, snapshots, layers. */
const NEEDED_BYTES = 2 * 1024 ** 3;

export interface PlanParts extends Omit<SharedParts, 'downstreams'> {
  readonly from: (upstream: Reference) => Reference;
  readonly readiness: PlanDeps['readiness'];
}

/** Everything that a plan looks at. */
export function planDeps({ config, fleet, places, registry, ledger, scanner, from, readiness }: PlanParts): PlanDeps {
  const { settings } = fleet;
  return {
    ...{ fleet, places, registry, ledger, readiness },
    sourceOf: from,
    now: () => new Date().toISOString(),
    verdictBasis: (image, signal) => verdictBasis(image, { scanner, settings, now: () => new Date() }, signal),
    disk: () => diskOf(config.dataDirectory),
  };
}

async function diskOf(folder: string) {
  await mkdir(folder, { recursive: true });
  const { bavail, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, neededBytes: NEEDED_BYTES };
}
