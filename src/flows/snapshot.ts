import type { Digest } from '../domain/digest.ts';
import { usesSnapshot } from '../domain/dockerfile/render.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Image } from '../domain/fleet/model.ts';
import type { Inputs } from '../domain/inputs.ts';
import type { PackageState } from '../domain/packages/state.ts';
import type { Places } from '../domain/places.ts';
import type { Reference } from '../domain/reference.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { mirrorInput, pinOf } from './mirror.ts';
import type { PackageDeps } from './package-facts.ts';

/** Lists of archives on this machine, as apt has them after an update. */
export interface ListFolders {
  /** The archives as they are now, for all these images. */
  take(states: readonly PackageState[], call: Call): Promise<Digest>;
  /** Where they lie, `undefined` when they were taken elsewhere or long ago. */
  find(lists: Digest): Promise<string | undefined>;
}

export interface SnapshotDeps {
  readonly registry: Registry;
  readonly places: Places;
  readonly sourceOf: (upstream: Reference) => Reference;
  readonly stateOf: PackageDeps['stateOf'];
  readonly lists: ListFolders;
}

/** Fixes what the archives give to all platforms of a run; the inputs as they are when the build asks no archive. */
export async function withSnapshot(image: Image, inputs: Inputs, deps: SnapshotDeps, call: Call): Promise<Inputs> {
  if (!takesLists(image)) return inputs;
  try {
    return { ...inputs, snapshot: await takeLists(image, inputs, deps, call) };
  } catch (error) {
    // The build asks again, and fails with this if it is still so: in the run, where people look.
    if (call.signal?.aborted || !(error instanceof FactoryError)) throw error;
    return inputs;
  }
}

/** The folder of the snapshot that the run was started with. */
export async function openSnapshot(
  image: Image,
  inputs: Inputs,
  deps: SnapshotDeps,
  call: Call,
): Promise<string | undefined> {
  if (!takesLists(image)) return undefined;
  const lists = inputs.snapshot ?? (await takeLists(image, inputs, deps, call));
  const known = await deps.lists.find(lists);
  if (known !== undefined) return known;
  const now = await takeLists(image, inputs, deps, call);
  const folder = now === lists ? await deps.lists.find(now) : undefined;
  if (folder !== undefined) return folder;
  throw new FactoryError(
    `the archives of ${image.name} moved since the run was started; the next one takes them anew`,
    {
      code: 'superseded',
    },
  );
}

function takesLists({ recipe }: Image): boolean {
  return recipe.kind === 'rendered' && usesSnapshot(recipe);
}

async function takeLists(image: Image, inputs: Inputs, deps: SnapshotDeps, call: Call): Promise<Digest> {
  const base = inputs.inputs.find(({ role }) => role === 'base')!;
  const states = await Promise.all(
    inputs.platforms.map(async (platform) => {
      await mirrorInput(base, platform, deps, call);
      return deps.stateOf(pinOf(base, platform, deps.places), call);
    }),
  );
  requireManager(image, states);
  return deps.lists.take(states, call);
}

/** Names of bases do not always tell what is in them. */
function requireManager({ name, recipe }: Image, states: readonly PackageState[]): void {
  const wanted = recipe.kind === 'rendered' ? recipe.manager : 'none';
  const other = states.find(({ manager }) => manager !== 'none' && manager !== wanted)?.manager;
  if (other === undefined) return;
  const remedy = `write "manager: ${other === 'rpm' ? 'dnf' : other}" in images/${name}/image.yaml`;
  throw new FactoryError(`the base of ${name} has ${other} for packages, not ${wanted}; ${remedy}`, {
    code: 'configuration',
  });
}
