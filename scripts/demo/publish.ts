import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { digestOf } from '../../src/domain/digest.ts';
import { architectureOf, type Platform } from '../../src/domain/platform.ts';
import { atDigest, type Reference } from '../../src/domain/reference.ts';
import { type Descriptor, MEDIA_TYPES, type Registry } from '../../src/registry/registry.ts';

/** One platform of the base: its root file system as a tar. */
export interface RootFileSystem {
  readonly platform: Platform;
  readonly tar: string;
}

/** Publishes a base as upstreams do: an index with one manifest a platform, under a tag. */
export async function publishBase(
  registry: Registry,
  target: Reference,
  base: { readonly epoch: number; readonly platforms: readonly RootFileSystem[] },
): Promise<Descriptor> {
  const manifests: Descriptor[] = [];
  for (const root of base.platforms) manifests.push(await publishPlatform(registry, target, root, base.epoch));
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests };
  return registry.putManifest(target, { mediaType: MEDIA_TYPES.index, bytes: Buffer.from(JSON.stringify(index)) });
}

async function publishPlatform(
  registry: Registry,
  target: Reference,
  root: RootFileSystem,
  epoch: number,
): Promise<Descriptor> {
  const packed = await buffer(createReadStream(root.tar).pipe(createGzip({ level: 6 })));
  const diffId = digestOf(await readFile(root.tar));
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
  const layer = { ...(await registry.putBlob(target, packed)), mediaType };
  const config = {
    created: new Date(epoch * 1000).toISOString(),
    architecture: architectureOf(root.platform),
    os: 'linux',
    config: { Cmd: ['bash'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: new Date(epoch * 1000).toISOString(), created_by: 'mmdebstrap --variant=apt' }],
  };
  const stored = {
    ...(await registry.putBlob(target, Buffer.from(JSON.stringify(config)))),
    mediaType: MEDIA_TYPES.config,
  };
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: stored, layers: [layer] };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const put = await registry.putManifest(atDigest(target, digestOf(bytes)), { mediaType: MEDIA_TYPES.manifest, bytes });
  return { ...put, platform: { os: 'linux', architecture: architectureOf(root.platform) } };
}
