import type { RepairDeps } from '../flows/repair.ts';
import type { ReplicateDeps } from '../flows/replicate.ts';
import type { StageDeps } from '../flows/stages.ts';

/** A factory that was put together. */
type Whole = Omit<RepairDeps & StageDeps & ReplicateDeps, 'settings' | 'now'>;
type Parts<K extends keyof Whole> = Pick<Whole, K>;
const now = () => new Date();

/** What stages need, of the whole factory. */
export function stageDeps(parts: Parts<'registry' | 'ledger' | 'places' | 'fleet' | 'attestor' | 'gates'>): StageDeps {
  const { registry, ledger, places, fleet, attestor, gates } = parts;
  return { registry, ledger, places, settings: fleet.settings, attestor, gates, now };
}

/** What replicas need. */
export function replicateDeps(parts: Parts<'registry' | 'ledger' | 'places' | 'fleet' | 'attestor'>): ReplicateDeps {
  const { registry, ledger, places, fleet, attestor } = parts;
  return { registry, ledger, places, fleet, attestor, now };
}

/** What a repair needs. */
export function repairDeps(
  parts: Parts<'registry' | 'places' | 'fleet' | 'attestor' | 'cataloguer' | 'scanner' | 'factory'>,
): RepairDeps {
  const { registry, places, fleet, attestor, cataloguer, scanner, factory } = parts;
  return { registry, places, settings: fleet.settings, attestor, cataloguer, scanner, factory, now };
}
