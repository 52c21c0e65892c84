import type { Mistake } from '../errors.ts';
import { type Draft, missingRemedy } from './draft.ts';
import type { ImageFile } from './image.ts';
import { isFromScratch, managerOf } from './manager.ts';
import { MANAGERS } from './manager-facts.ts';
import type { FileEntry, Image, ImageInput, Manager, PackageSource, RenderedRecipe } from './model.ts';
import { suggestion } from './nearest.ts';
import type { PackagesFile } from './packages.ts';
import { contentMistakes, scratchMistakes } from './rendered-checks.ts';

/** What other files say that a rendered image depends on. */
export interface Surroundings {
  /** Absent when packages.yaml has mistakes: then no set is called unknown. */
  readonly sets?: PackagesFile;
  readonly base?: ImageInput;
  /** The chain of golden bases, nearest first. Absent when one of them has mistakes: then nothing is missed in them. */
  readonly bases?: readonly Image[];
}

export function toRendered(
  draft: Draft,
  definition: ImageFile,
  surroundings: Surroundings,
): { recipe: RenderedRecipe; mistakes: readonly Mistake[] } {
  const { manager, mistakes: otherManager } = managerOf(draft.document, definition, surroundings);
  const shared = sharedPackages(draft, definition, { sets: surroundings.sets, manager });
  const user = definition.user ?? inheritedUser(surroundings);
  const recipe: RenderedRecipe = {
    kind: 'rendered',
    manager,
    packages: shared.packages,
    install: sorted(definition.install ?? []).filter((name) => !shared.packages.includes(name)),
    upgrade: manager === 'none' ? 'none' : (definition.upgrade ?? 'all'),
    files: (definition.files ?? []).map(toFileEntry),
    sources: sortedByName(definition.sources ?? []),
    env: definition.env ?? {},
    labels: definition.labels ?? {},
    user: user ?? '0',
    ...given(definition, ['workdir', 'entrypoint', 'cmd', 'locale', 'timezone']),
  };
  const mistakes = [
    ...otherManager,
    ...shared.mistakes,
    ...installMistakes(draft, definition, shared.packages, manager),
    ...fileMistakes(draft, definition),
    ...contentMistakes(draft.document, definition, recipe, surroundings.bases),
  ];
  const { base, bases } = surroundings;
  const fromScratch = isFromScratch(definition, bases);
  if (fromScratch) mistakes.push(...scratchMistakes(draft.document, definition, { ...recipe, user: user ?? '' }));
  else if (user === undefined && base !== undefined && bases !== undefined) mistakes.push(missingUser(draft));
  return { recipe, mistakes };
}

function missingUser({ document }: Draft): Mistake {
  const remedy = 'write "user: 10001", or "user: root" if it really has to be root';
  return document.mistake([], '"user" is missing, and the base does not say here whom the image runs as', remedy);
}

/** A golden base that is rendered says which user it ends with; nothing else in the definitions does. */
function inheritedUser({ bases }: Surroundings): string | undefined {
  const nearest = bases?.[0]?.recipe;
  return nearest?.kind === 'rendered' ? nearest.user : undefined;
}

function sharedPackages(
  { document }: Draft,
  definition: ImageFile,
  { sets, manager }: { sets: PackagesFile | undefined; manager: Manager },
): { packages: readonly string[]; mistakes: Mistake[] } {
  if (sets === undefined || manager === 'none') return { packages: [], mistakes: [] };
  const key = MANAGERS[manager].set;
  const mistakes: Mistake[] = [];
  const packages = (definition.packages ?? []).flatMap((name, index) => {
    const set = sets[name];
    if (set?.[key] !== undefined) return set[key];
    if (set === undefined) {
      const remedy = suggestion(name, Object.keys(sets)) ?? 'define it in images/packages.yaml';
      mistakes.push(document.mistake(['packages', index], `there is no package set "${name}"`, remedy));
    } else {
      const remedy = `add "${key}:" to ${name} in images/packages.yaml`;
      mistakes.push(document.mistake(['packages', index], `the package set "${name}" has no ${key} packages`, remedy));
    }
    return [];
  });
  return { packages: sorted(packages), mistakes };
}

function installMistakes(
  { document }: Draft,
  { install = [] }: ImageFile,
  shared: readonly string[],
  manager: Manager,
): Mistake[] {
  return install.flatMap((name, index) => {
    const at = ['install', index];
    const wrong = manager === 'none' ? undefined : MANAGERS[manager].packageName.safeParse(name).error;
    if (wrong !== undefined)
      return [document.mistake(at, `"${name}" is no ${manager} package`, 'write it as the archive does')];
    if (shared.includes(name))
      return [document.mistake(at, `"${name}" is in a shared set of this image already`, 'remove it here')];
    if (install.indexOf(name) !== index) return [document.mistake(at, `"${name}" stands here twice`, 'remove one')];
    return [];
  });
}

function fileMistakes({ document, files }: Draft, { files: entries = [], sources = [] }: ImageFile): Mistake[] {
  const named = [
    ...entries.map(({ source }, index) => ({ path: source, at: ['files', index, 'source'] })),
    ...sources.map(({ keyring }, index) => ({ path: keyring, at: ['sources', index, 'keyring'] })),
  ];
  return named
    .filter(({ path }) => files.files[path] === undefined)
    .map(({ path, at }) => {
      const remedy = missingRemedy(path, Object.keys(files.files));
      return document.mistake(at, `${files.path}/${path} does not exist`, remedy);
    });
}

function toFileEntry({ source, to, mode, owner }: NonNullable<ImageFile['files']>[number]): FileEntry {
  if (to === 'trust-store') return { source, to };
  const [user = '0', group = user] = (owner ?? '0:0').split(':');
  return { source, to, mode: (mode ?? '0644').padStart(4, '0'), owner: `${user}:${group}` };
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}

function sortedByName(sources: readonly PackageSource[]): PackageSource[] {
  return [...sources].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The fields that are there, of the ones named. */
function given<T extends object, K extends keyof T>(
  from: T,
  keys: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  const entries = keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]);
  return Object.fromEntries(entries) as { [P in K]?: Exclude<T[P], undefined> };
}
