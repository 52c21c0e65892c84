import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import type { Platform } from '../../src/domain/platform.ts';
import { atDigest, atTag, type Reference } from '../../src/domain/reference.ts';
import { exec } from '../../src/lib/exec.ts';
import { createHttp } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { type Descriptor, MEDIA_TYPES, type Registry } from '../../src/registry/registry.ts';
import { createAttestor } from '../../src/signer/attestor.ts';
import { createKeySigner, generateKeyPair } from '../../src/signer/key.ts';
import type { Attestor } from '../../src/signer/signer.ts';

export const CREATED = { createdAt: '2026-01-02T03:04:05Z' };

/** A registry on loopback, a key pair in a folder, and an attestor that signs with it. */
export interface Scene {
  readonly registry: Registry;
  readonly attestor: Attestor;
  readonly keys: { readonly privateKey: string; readonly publicKey: string };
  /** Holds `ingot.pub`. */
  readonly folder: string;
  /** A repository of its own for each name. */
  repository(name: string): Reference;
  close(): Promise<void>;
}

export async function createScene(host: { readonly address: string; stop(): Promise<void> }): Promise<Scene> {
  const http = createHttp({ connectionsPerHost: 4, userAgent: 'ingot-test', timeoutMs: 30_000 });
  const registry = createRegistry({ http });
  const keys = generateKeyPair();
  const folder = await mkdtemp(join(tmpdir(), 'ingot-signer-'));
  await writeFile(join(folder, 'ingot.pub'), keys.publicKey);
  return {
    registry,
    attestor: createAttestor({ registry, signer: createKeySigner(keys.privateKey) }),
    keys,
    folder,
    repository: (name) => ({ registry: host.address, repository: `golden/${name}` }),
    async close() {
      await http.close();
      await host.stop();
      await rm(folder, { recursive: true });
    },
  };
}

export interface PushedImage {
  /** The index. */
  readonly index: Reference & { readonly digest: Digest };
  readonly platforms: readonly (Reference & { readonly digest: Digest; readonly platform: Platform })[];
  /** Index first. */
  readonly all: readonly (Reference & { readonly digest: Digest })[];
}

/** An index for amd64 and arm64 under the tag `12`. */
export async function pushImage(registry: Registry, repository: Reference): Promise<PushedImage> {
  const children: Descriptor[] = [];
  for (const architecture of ['amd64', 'arm64']) children.push(await pushPlatform(registry, repository, architecture));
  const content = { schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests: children };
  const bytes = Buffer.from(JSON.stringify(content));
  await registry.putManifest(atTag(repository, '12'), { mediaType: MEDIA_TYPES.index, bytes });
  const index = { ...repository, digest: digestOf(bytes) };
  const platforms = children.map(({ digest, platform }) => ({
    ...repository,
    digest,
    platform: `linux/${platform?.architecture}` as Platform,
  }));
  return { index, platforms, all: [index, ...platforms] };
}

async function pushPlatform(registry: Registry, repository: Reference, architecture: string): Promise<Descriptor> {
  const platform = { os: 'linux', architecture };
  const image = {
    ...platform,
    config: { Labels: { repository: repository.repository } },
    rootfs: { type: 'layers', diff_ids: [] },
  };
  const config = await registry.putBlob(repository, Buffer.from(JSON.stringify(image)), {
    mediaType: MEDIA_TYPES.config,
  });
  const content = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers: [] };
  const bytes = Buffer.from(JSON.stringify(content));
  const { digest, size } = await registry.putManifest(atDigest(repository, digestOf(bytes)), {
    mediaType: MEDIA_TYPES.manifest,
    bytes,
  });
  return { mediaType: MEDIA_TYPES.manifest, digest, size, platform };
}

/** Runs a tool with a proxy that leads nowhere: whatever asks for more than loopback fails. */
export async function runOffline(program: string, args: readonly string[], folder: string) {
  const nowhere = 'http://127.0.0.1:9';
  const env = { HTTPS_PROXY: nowhere, HTTP_PROXY: nowhere, HOME: folder, DOCKER_CONFIG: folder };
  const { exitCode, stdout, stderr } = await exec(program, args, { cwd: folder, env, timeout: 60_000 });
  return { exitCode, output: `${stdout}${stderr}` };
}
