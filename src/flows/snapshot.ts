import type { Digest } from '../domain/digest.ts';
import { installs, usesSnapshot } from '../domain/dockerfile/render.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Image } from '../domain/fleet/model.ts';
import type { Inputs, ResolvedInput } from '../domain/inputs.ts';
import type { ArchiveMap } from '../domain/packages/archive-address.ts';
import { mirroredFiles } from '../domain/packages/mirrored-files.ts';
import type { PackageState } from '../domain/packages/state.ts';
import type { Places } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
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
  /** Where archives are read from instead. */
  readonly mirrors: ArchiveMap;
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

/** Files of a platform's base that name archives, with their mirrors in place of these: path to text. */
export async function mirroredSources(
  { recipe }: Image,
  inputs: Inputs,
  platform: Platform,
  deps: SnapshotDeps,
  call: Call,
): Promise<Readonly<Record<string, string>>> {
  const base = inputs.inputs.find(({ role }) => role === 'base');
  if (recipe.kind !== 'rendered' || !installs(recipe) || base === undefined) return {};
  if (Object.keys(deps.mirrors).length === 0) return {};
  const { files } = await stateOfBase(base, platform, deps, call);
  return mirroredFiles(files, deps.mirrors);
}

async function stateOfBase(base: ResolvedInput, platform: Platform, deps: SnapshotDeps, call: Call) {
  await mirrorInput(base, platform, deps, call);
  return deps.stateOf(pinOf(base, platform, deps.places), call);
}

function takesLists({ recipe }: Image): boolean {
  return recipe.kind === 'rendered' && usesSnapshot(recipe);
}

async function takeLists(image: Image, inputs: Inputs, deps: SnapshotDeps, call: Call): Promise<Digest> {
  const base = inputs.inputs.find(({ role }) => role === 'base')!;
  const states = await Promise.all(inputs.platforms.map((platform) => stateOfBase(base, platform, deps, call)));
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
