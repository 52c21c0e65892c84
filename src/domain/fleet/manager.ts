import type { Mistake } from '../errors.ts';
import type { Reference } from '../reference.ts';
import type { ReadDocument } from './document.ts';
import type { ImageFile } from './image.ts';
import type { Image, ImageInput, Manager } from './model.ts';

/** What `from` says where there is no base. */
export const SCRATCH = 'scratch';

interface Below {
  readonly base?: ImageInput;
  /** The chain of golden bases, nearest first. */
  readonly bases?: readonly Image[];
}

/** What the definition says, else what its golden base has, else what the name of its upstream tells; else apt. */
export function managerOf(
  document: ReadDocument<ImageFile>,
  { from, manager: written }: ImageFile,
  { base, bases = [] }: Below,
): { readonly manager: Manager; readonly mistakes: Mistake[] } {
  const [nearest] = bases;
  const rendered = nearest?.recipe.kind === 'rendered' ? nearest.recipe.manager : undefined;
  const known = from === SCRATCH ? 'none' : rendered;
  if (written === undefined) return { manager: known ?? guessOf(base, bases) ?? 'apt', mistakes: [] };
  if (known === undefined || familyOf(written) === familyOf(known)) return { manager: written, mistakes: [] };
  const what = from === SCRATCH ? 'an image from scratch' : `the base ${nearest!.name}`;
  const message = `${what} has ${known === 'none' ? 'no package manager' : known}, not ${written}`;
  return { manager: known, mistakes: [document.mistake(['manager'], message, 'remove it, or use another base')] };
}

/** Nothing is in there but what the definitions put there: no shell, no names of users. */
export function isFromScratch({ from }: ImageFile, bases: readonly Image[] = []): boolean {
  const rendered = bases.every(({ recipe }) => recipe.kind === 'rendered');
  return from === SCRATCH || (rendered && bases.at(-1)?.inputs.length === 0);
}

/** Images whose own Dockerfile may have brought in anything have most likely what they are built on. */
function guessOf(base: ImageInput | undefined, [nearest, ...rest]: readonly Image[]): Manager | undefined {
  if (base === undefined) return undefined;
  if (!('golden' in base.source)) return managerByName(base.source.upstream);
  if (nearest === undefined) return undefined;
  if (nearest.recipe.kind === 'rendered') return nearest.recipe.manager;
  return guessOf(
    nearest.inputs.find(({ role }) => role === 'base'),
    rest,
  );
}

/** dnf and microdnf take the same packages from the same archives. */
function familyOf(manager: Manager): Manager {
  return manager === 'microdnf' ? 'dnf' : manager;
}

const RPM = ['fedora', 'almalinux', 'rockylinux', 'centos', 'oraclelinux', 'amazonlinux', 'ubi'];

/** By the parts of its repository, as in `ubi9/ubi-minimal`, and by its tag, as in `almalinux:9-minimal`. */
function managerByName({ repository, tag = '' }: Reference): Manager | undefined {
  const parts = repository.split('/');
  const last = parts.at(-1)!;
  if (parts.includes('distroless')) return 'none';
  if (last === 'alpine' || last === 'wolfi-base') return 'apk';
  if (!parts.some((part) => RPM.includes(part.split('-')[0]!.replace(/^ubi\d+$/, 'ubi')))) return undefined;
  const words = [...last.split('-'), ...tag.split('-')];
  if (words.includes('micro')) return 'none';
  // Oracle calls it slim.
  return words.includes('minimal') || words.includes('slim') ? 'microdnf' : 'dnf';
}
