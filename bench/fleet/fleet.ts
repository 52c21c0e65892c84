import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { Fleet } from '../../src/domain/fleet/model.ts';
import type { Platform } from '../../src/domain/platform.ts';
import { generateKeyPair } from '../../src/signer/key.ts';

/** How large a fleet is: that of .NET, as its own build repository lists it, by default. */
export interface FleetSize {
  readonly images: number;
  /** Of all images together; at most three an image. */
  readonly platforms: number;
}

export const DOTNET: FleetSize = { images: 262, platforms: 601 };

/** Images on one upstream. */
const FAMILY = 13;
/** On which image of its family each is built: two runtimes on the base, and variants with tools on those. */
const PARENTS = [undefined, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2] as const;

export function upstreamOf(family: number): string {
  return `base-${String(family).padStart(2, '0')}:12-slim`;
}

export function familiesOf({ images }: FleetSize): number {
  return Math.ceil(images / FAMILY);
}

/** Writes the definitions: own Dockerfiles, each with a smoke test, in families of thirteen on one upstream. */
export async function writeFleet(root: string, size: FleetSize, where: { registry: string; upstreams: string }) {
  const settings = {
    fleet: 'bench',
    registry: where.registry,
    platforms: ['linux/amd64', 'linux/arm64'],
    signing: { key: { file: 'fleet.key' } },
    upstreams: { 'docker.io/library': where.upstreams },
    channels: [{ name: 'stable' }],
  };
  const images = Array.from({ length: size.images }, (_, index) => filesOf(index));
  const files = {
    'ingot.yaml': stringify(settings),
    'fleet.key': generateKeyPair().privateKey,
    ...Object.assign({}, ...images),
  } as Record<string, string>;
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

function filesOf(index: number): Record<string, string> {
  const [family, place] = [Math.floor(index / FAMILY), index % FAMILY];
  const parent = PARENTS[place];
  const from = parent === undefined ? upstreamOf(family) : `golden/${nameOf(family * FAMILY + parent)}`;
  const folder = `images/${nameOf(index)}`;
  return {
    [`${folder}/image.yaml`]: 'line: "8"\nowners: [team-runtime]\n',
    [`${folder}/Dockerfile`]: `FROM ${from}\nCOPY app /opt/app\nUSER 10001\n`,
    [`${folder}/context/app`]: `${nameOf(index)}\n`,
    [`${folder}/smoke.yaml`]: 'schemaVersion: 2.0.0\nmetadataTest:\n  user: "10001"\n',
  };
}

function nameOf(index: number): string {
  return `image-${String(index).padStart(3, '0')}`;
}

const THIRD: Platform = 'linux/arm/v7';

/**
 * Definitions know two platforms, the fleet that is measured has up to three: the first families get the third one,
 * whole, since a child cannot have a platform that its parent lacks.
 */
export function withThirdPlatform(fleet: Fleet, { platforms }: FleetSize): Fleet {
  let missing = platforms - fleet.images.length * 2;
  const wanted = new Set<string>();
  for (const { name } of [...fleet.images].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (missing-- > 0) wanted.add(name);
  }
  const images = fleet.images.map((image) =>
    wanted.has(image.name) ? { ...image, platforms: [...image.platforms, THIRD] } : image,
  );
  return { ...fleet, images };
}
