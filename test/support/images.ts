import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { digestOf } from '../../src/domain/digest.ts';
import { type Platform, platformOf } from '../../src/domain/platform.ts';
import { atDigest, parseReference, type Reference } from '../../src/domain/reference.ts';
import { type Descriptor, MEDIA_TYPES, type Registry } from '../../src/registry/registry.ts';

/** A file's text, or an entry with what it needs. */
export type TestFile =
  | string
  | {
      readonly type?: 'file' | 'directory' | 'symlink' | 'link';
      readonly content?: string | Buffer;
      readonly mode?: number;
      readonly uid?: number;
      readonly gid?: number;
      readonly linkname?: string;
    };

export type TestFiles = Readonly<Record<string, TestFile>>;

export interface TestImage {
  /** Default linux/amd64. More than one, or `index: true`: an index. */
  readonly platforms?: readonly Platform[];
  readonly index?: boolean;
  /** One layer, or several in order. */
  readonly files?: TestFiles | readonly TestFiles[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly created?: string;
  /** Of the index, else of the manifest. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** How layers are packed; default gzip. */
  readonly compress?: (tar: Buffer) => { readonly bytes: Buffer; readonly mediaType: string };
}

const EPOCH = '2024-01-01T00:00:00Z';

/** Pushes a tiny image; the same description gives the same digest. */
export async function pushImage(
  registry: Registry,
  to: Reference | string,
  image: TestImage = {},
): Promise<Descriptor> {
  const reference = typeof to === 'string' ? parseReference(to) : to;
  const platforms = image.platforms ?? ['linux/amd64'];
  const asIndex = image.index ?? platforms.length > 1;
  if (!asIndex) return pushPlatform(registry, reference, image, platforms[0]!);
  const manifests: Descriptor[] = [];
  for (const platform of platforms) {
    const { registry: host, repository } = reference;
    const child = await pushPlatform(registry, { registry: host, repository }, { ...image, annotations: {} }, platform);
    manifests.push({ ...child, platform: fieldsOf(platform) });
  }
  const { annotations } = image;
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests, ...(annotations && { annotations }) };
  return pushJson(registry, reference, { mediaType: MEDIA_TYPES.index, json: index });
}

async function pushPlatform(registry: Registry, to: Reference, image: TestImage, platform: Platform) {
  const { files = { 'etc/os-release': 'ID=test\n' }, created = EPOCH, env = ['PATH=/bin'], compress = gzip } = image;
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const layer of Array.isArray(files) ? files : [files]) {
    const tar = await tarOf(layer);
    const { bytes, mediaType } = compress(tar);
    layers.push(await registry.putBlob(to, bytes, { mediaType }));
    diffIds.push(digestOf(tar));
  }
  const config = {
    ...{ created, ...fieldsOf(platform) },
    config: { Env: env, ...(image.user && { User: image.user }), ...(image.labels && { Labels: image.labels }) },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: layers.map(() => ({ created, created_by: 'test' })),
  };
  const descriptor = await registry.putBlob(to, Buffer.from(JSON.stringify(config)), { mediaType: MEDIA_TYPES.config });
  const { annotations } = image;
  const kept = annotations && Object.keys(annotations).length > 0 ? { annotations } : {};
  const json = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config: descriptor, layers, ...kept };
  return pushJson(registry, to, { mediaType: MEDIA_TYPES.manifest, json });
}

/** Pushes any manifest; by digest when the reference has no tag. */
export async function pushJson(
  registry: Registry,
  to: Reference,
  { mediaType, json }: { mediaType: string; json: unknown },
) {
  const bytes = Buffer.from(JSON.stringify(json));
  return registry.putManifest(to.tag === undefined ? atDigest(to, digestOf(bytes)) : to, { mediaType, bytes });
}

/** A layer before it is compressed. */
export async function tarOf(files: TestFiles): Promise<Buffer> {
  const tar = pack();
  for (const [name, file] of Object.entries(files)) {
    const { type = 'file', content = '', mode, ...rest } = typeof file === 'string' ? { content: file } : file;
    const usual = type === 'directory' ? 0o755 : 0o644;
    const header = { name, type, mode: mode ?? usual, mtime: new Date(EPOCH), uid: 0, gid: 0, ...rest };
    if (type === 'file') tar.entry(header, content);
    else tar.entry(header);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function gzip(tar: Buffer) {
  return { bytes: gzipSync(tar), mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip' };
}

function fieldsOf(platform: Platform) {
  const [os, architecture, variant] = platform.split('/');
  const fields = { os, architecture, ...(variant && { variant }) };
  return platformOf(fields) === platform ? fields : { os, architecture };
}
