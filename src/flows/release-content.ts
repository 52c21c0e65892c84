import type { Digest } from '../domain/digest.ts';
import type { ImageContent, PlatformContent } from '../domain/image-content.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import { getArtifact } from '../image/artifact.ts';
import { readConfig } from '../image/config.ts';
import type { Call, Registry } from '../registry/registry.ts';
import type { Cataloguer, Scanner } from '../scanner/scanner.ts';
import { SYFT_JSON } from './evidence.ts';
import { attachDocument } from './releases.ts';

/** The cataloguer's own document stays with a released platform, so that it is rescanned without a pull (decisions 18). */
export async function attachNativeSbom(
  registry: Registry,
  subject: Reference,
  native: Uint8Array,
  options: Call & { createdAt: string },
): Promise<void> {
  await attachDocument(registry, subject, SYFT_JSON, native, options);
}

export async function hasNativeSbom(registry: Registry, subject: Reference, call: Call): Promise<boolean> {
  return (await registry.referrers(subject, { ...call, artifactType: SYFT_JSON })).length > 0;
}

export interface ContentDeps {
  readonly registry: Registry;
  readonly cataloguer: Cataloguer;
  readonly scanner: Scanner;
}

/** What is in a release: packages as catalogued then, vulnerabilities as known now. */
export async function readContent(
  repository: Reference,
  platforms: Readonly<Partial<Record<Platform, Digest>>>,
  deps: ContentDeps,
  call: Call,
): Promise<ImageContent> {
  const read = Object.entries(platforms).map(async ([platform, digest]) => {
    const content = await readPlatform(atDigest(repository, digest!), deps, call);
    return content === undefined ? [] : [[platform, content] as const];
  });
  return Object.fromEntries((await Promise.all(read)).flat());
}

async function readPlatform(reference: Reference, deps: ContentDeps, call: Call): Promise<PlatformContent | undefined> {
  const [found] = await deps.registry.referrers(reference, { ...call, artifactType: SYFT_JSON });
  if (found === undefined) return undefined;
  const artifact = await getArtifact(deps.registry, atDigest(reference, found.digest), call);
  const native = artifact?.layers[0]?.content;
  if (native === undefined) return undefined;
  const [{ size }, { findings }] = await Promise.all([
    readConfig(deps.registry, reference, call),
    deps.scanner.scan(native, call),
  ]);
  return { size, packages: deps.cataloguer.packages(native), findings };
}
