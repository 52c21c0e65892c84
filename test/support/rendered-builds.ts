import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import type { Digest } from '../../src/domain/digest.ts';
import { renderDockerfile } from '../../src/domain/dockerfile/render.ts';
import type { Image, RenderedRecipe } from '../../src/domain/fleet/model.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import type { BuilderScene } from './builder-scene.ts';
import { fleetFiles } from './fleet-files.ts';

/** The Dockerfile of a definition on `base:1`, and the files of its context. */
export function renderedOf(
  definition: string,
  files: Readonly<Record<string, string>> = {},
  mirrored: readonly string[] = [],
) {
  const named = Object.entries(files).map(([name, text]) => [`images/app/${name}`, text] as const);
  const fleet = parseFleet(
    fleetFiles({ 'images/app/image.yaml': `line: "1"\nfrom: base:1\n${definition}`, ...Object.fromEntries(named) }),
  );
  const [image] = fleet.images as [Image & { recipe: RenderedRecipe }];
  const { dockerfile } = renderDockerfile(image, fleet.settings, { base: 'base:1', mirrored });
  return { dockerfile, files: { ...files } };
}

/**
 * Every entry of every layer, the later one where there are two; deletions are entries, too.
 * @param below layers that are left out: those of the base
 */
export async function filesOf(
  { registry }: Pick<BuilderScene, 'registry'>,
  digest: Digest,
  below = 0,
): Promise<ReadonlyMap<string, Buffer>> {
  const get = (path: string) =>
    fetch(`http://${registry}/v2/golden/app/${path}`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
  const manifest = (await (await get(`manifests/${digest}`)).json()) as { layers: { digest: string }[] };
  const files = new Map<string, Buffer>();
  for (const layer of manifest.layers.slice(below)) {
    const entries = extract();
    const body = Buffer.from(await (await get(`blobs/${layer.digest}`)).arrayBuffer());
    Readable.from([body]).pipe(createGunzip()).pipe(entries);
    for await (const entry of entries)
      files.set(entry.header.name, Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Buffer>)));
  }
  return files;
}
