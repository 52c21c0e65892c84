import type { Adoption, FoundTag } from '../domain/adoption.ts';
import { shortDigest } from '../domain/digest.ts';
import type { Image } from '../domain/fleet/model.ts';
import { repositoryOf } from '../domain/reference.ts';
import { adopt, readAdoption } from '../flows/adopt.ts';
import type { ChannelApp } from './channels.ts';
import { stageDeps } from './flow-deps.ts';
import type { Output } from './output.ts';
import { requireImages } from './require-images.ts';

export interface AdoptOptions {
  readonly images: readonly string[];
  readonly yes: boolean;
  readonly by?: string;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** `ingot adopt`: what ingot would change in repositories that others filled. Moves nothing, with `--yes` neither. */
export async function adoptCommand(app: ChannelApp, output: Output, options: AdoptOptions): Promise<number> {
  const { images, yes, json, signal } = options;
  requireImages(images, app.fleet.images);
  const wanted = app.fleet.images.filter(({ name }) => images.length === 0 || images.includes(name));
  const deps = stageDeps(app);
  const found = await Promise.all(
    wanted.map(async (image) => ({ image, adoption: await readAdoption(image, deps, signal) })),
  );
  if (yes)
    for (const { image, adoption } of found)
      await adopt(image, adoption, options.by ?? app.config.person, deps, signal);
  if (json) output.json(found.map(({ image, adoption }) => ({ image: image.name, adopted: yes, ...adoption })));
  else
    for (const { image, adoption } of found) for (const line of toLines(app, image, adoption, yes)) output.line(line);
  return 0;
}

function toLines(app: ChannelApp, image: Image, adoption: Adoption, yes: boolean): string[] {
  const { versions, moves, later, makes, leaves, nextVersion, open } = adoption;
  const name = `${image.name} (${repositoryOf(app.places.release(image.name))})`;
  const unsigned = [...versions, ...moves, ...later].filter(({ signed }) => signed === false).map(({ tag }) => tag);
  const facts = [
    ...moves.map((tag) => `would move ${describe(tag)}`),
    ...later.map((tag) => `would move at a later stage ${describe(tag)}`),
    versions.length === 0
      ? []
      : `counts ${versions.length} ${versions.length === 1 ? 'version' : 'versions'} of others as given out: ${shown(versions.map(({ tag }) => tag))}`,
    `would release ${nextVersion}, and make ${makes.join(', ')}`,
    unsigned.length === 0 ? [] : `not signed with the key of this fleet: ${shown(unsigned)}`,
    leaves.length === 0 ? [] : `never touches ${shown(leaves)}`,
    ...verdict(open, yes),
  ].flat();
  if (versions.length + open.length + leaves.length === 0) return [`${name}: nothing of others is here`];
  return [`${name}:`, ...facts.map((fact) => `    ${fact}`)];
}

function verdict(open: readonly string[], yes: boolean): string[] {
  if (open.length === 0) return [];
  if (yes) return [`adopted: the next release moves ${open.join(', ')}`];
  return [`releases are refused until "--yes" says that ingot may move ${open.join(', ')}`];
}

function describe({ tag, digest, version }: FoundTag): string {
  return `${tag} (${version === undefined ? '' : `${version}, `}${shortDigest(digest)})`;
}

const SHOWN = 8;

/** The newest are the last. */
function shown(tags: readonly string[]): string {
  if (tags.length <= SHOWN) return tags.join(', ');
  return `… ${tags.slice(-SHOWN).join(', ')} and ${tags.length - SHOWN} more`;
}
