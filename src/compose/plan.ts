import { gitTime } from '../definitions/revision.ts';
import type { Image } from '../domain/fleet/model.ts';
import type { Inputs } from '../domain/inputs.ts';
import type { Reference } from '../domain/reference.ts';
import { findDamage } from '../flows/damage.ts';
import type { PlanDeps } from '../flows/gather.ts';
import type { PackageDeps } from '../flows/package-facts.ts';
import { readContent } from '../flows/release-content.ts';
import { withSnapshot } from '../flows/snapshot.ts';
import { verdictBasis } from '../flows/verdict.ts';
import { diskRoom } from './disk.ts';
import type { Packages } from './packages.ts';
import type { SharedParts } from './session.ts';

export interface PlanParts extends Omit<SharedParts, 'downstreams'> {
  readonly from: (upstream: Reference) => Reference;
  readonly readiness: PlanDeps['readiness'];
  readonly packages: Packages;
}

/** Everything that a plan looks at. */
export function planDeps(parts: PlanParts): PlanDeps {
  const { config, fleet, places, registry, ledger, freshness, scanner, from, readiness, packages } = parts;
  const { settings } = fleet;
  return {
    ...{ fleet, places, registry, ledger, freshness, readiness },
    sourceOf: from,
    now: () => new Date().toISOString(),
    packages: { ...packages, findingsOf: (...asked) => findingsOf(parts, ...asked) },
    verdictBasis: (image, signal) =>
      verdictBasis(image, { scanner, settings, registry, places, now: () => new Date() }, signal),
    fixInputs: (image, inputs, signal) => fixInputs(image, inputs, parts, signal),
    findDamage: (image, release, signal) => findDamage(places.release(image.name), release, { registry }, signal),
    disk: () => diskRoom(config.dataDirectory),
  };
}

async function fixInputs(image: Image, inputs: Inputs, parts: PlanParts, signal: AbortSignal): Promise<Inputs> {
  const { config, fleet, places, registry, from, packages } = parts;
  const archives = { registry, places, sourceOf: from, mirrors: fleet.settings.archives, ...packages };
  const fixed = await withSnapshot(image, inputs, archives, { signal });
  const timeOf = parts.definedAt ?? ((each: Image) => gitTime(each, config.root));
  const definedAt = image.inputs.length === 0 ? await timeOf(image) : undefined;
  return definedAt === undefined ? fixed : { ...fixed, definedAt };
}

async function findingsOf(parts: PlanParts, ...[repository, platforms, call]: Parameters<PackageDeps['findingsOf']>) {
  const content = await readContent(repository, platforms, parts, call);
  return Object.values(content).flatMap((platform) => platform?.findings ?? []);
}
