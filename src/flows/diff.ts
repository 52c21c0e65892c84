import { type FilesDiff, isSameContent } from '../domain/content-diff.ts';
import { diffFindings, diffPackages } from '../domain/diff.ts';
import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import {
  type ChangedPlatform,
  diffLayers,
  type ImageDiff,
  nameLayers,
  type PlatformDiff,
} from '../domain/image-diff.ts';
import type { PackageState } from '../domain/packages/state.ts';
import { type Platform, platformOf } from '../domain/platform.ts';
import { atDigest, formatReference, type Reference } from '../domain/reference.ts';
import type { Package } from '../domain/verdict.ts';
import { getArtifact } from '../image/artifact.ts';
import { compareContent } from '../image/compare.ts';
import { readConfig } from '../image/config.ts';
import type { ImageParts } from '../image/content.ts';
import { platformManifests } from '../image/resolve.ts';
import { parseManifest } from '../registry/manifest.ts';
import { type Call, isIndex, type Registry } from '../registry/registry.ts';
import { type Cataloguer, type Scanner, ScannerError } from '../scanner/scanner.ts';
import { SYFT_JSON } from './evidence.ts';
import { messageOf } from './steps.ts';

export interface DiffDeps {
  readonly registry: Registry;
  readonly cataloguer: Cataloguer;
  readonly scanner: Scanner;
  /** What one platform has installed, from its files. */
  readonly stateOf: (reference: Reference, call: Call) => Promise<PackageState>;
}

/** One of the two images, as a person named it. */
export interface Named {
  readonly name: string;
  readonly reference: Reference;
}

/**
 * What differs between two images, platform by platform: only reads, and layers as streams.
 * @param platforms empty: all that either has
 * @throws FactoryError `usage` when an image is not there, or neither has a platform
 */
export async function diffImages(
  [before, after]: readonly [Named, Named],
  platforms: readonly Platform[],
  deps: DiffDeps,
  call: Call = {},
): Promise<ImageDiff> {
  const [old, now] = await Promise.all([findImage(before, deps, call), findImage(after, deps, call)]);
  const known = [...new Set([...old.platforms.keys(), ...now.platforms.keys()])].sort();
  const missing = platforms.find((platform) => !known.includes(platform));
  if (missing !== undefined) throw usage(`neither image has ${missing}; they have ${known.join(', ')}`);
  const found: PlatformDiff[] = [];
  for (const platform of platforms.length > 0 ? platforms : known) {
    const [was, is] = [old.platforms.get(platform), now.platforms.get(platform)];
    if (was === undefined || is === undefined) {
      found.push({ platform, state: was === undefined ? 'added' : 'removed', digest: (is ?? was)! });
    } else if (was === is) found.push({ platform, state: 'same', digest: is });
    else {
      const pair = [atDigest(before.reference, was), atDigest(after.reference, is)] as const;
      found.push(await diffPlatform(platform, pair, deps, call));
    }
  }
  return { before: old.side, after: now.side, platforms: found };
}

async function findImage({ name, reference }: Named, { registry }: DiffDeps, call: Call) {
  const stored = await registry.manifest(reference, call);
  const what = formatReference(reference);
  if (stored === undefined) throw usage(`${what} is not in the registry`);
  const { digest, mediaType } = stored.descriptor;
  const platforms = new Map<Platform, Digest>();
  if (isIndex(mediaType)) {
    const children = platformManifests(parseManifest(stored.bytes, what).manifests ?? []);
    for (const [platform, child] of children) platforms.set(platform, child.digest);
  } else {
    const { config } = await readConfig(registry, atDigest(reference, digest), call);
    platforms.set(platformOf(config), digest);
  }
  return { side: { name, reference: what, digest }, platforms };
}

async function diffPlatform(
  platform: Platform,
  pair: readonly [Reference, Reference],
  deps: DiffDeps,
  call: Call,
): Promise<ChangedPlatform> {
  const { before, after, diff } = await compareContent(deps.registry, pair, call);
  return {
    ...{ platform, state: 'changed', before: pair[0].digest!, after: pair[1].digest! },
    ...{ sameContent: isSameContent(diff), files: diff.files, config: diff.config },
    layers: diffLayers(layersOf(before), layersOf(after)),
    ...(await diffInside(pair, { platform, files: diff.files }, deps, call)),
  };
}

function layersOf({ layers, config }: ImageParts) {
  return nameLayers(layers, config.history);
}

/** Whether reading the package managers' files can tell of a difference: it means to read all layers again. */
function mayTouchPackages({ added, removed, changed }: FilesDiff): boolean {
  const paths = [...added, ...removed, ...changed.map(({ path }) => path)];
  return paths.some((path) => /dpkg|apk|rpm/.test(path));
}

type Inside = Pick<ChangedPlatform, 'packages' | 'vulnerabilities' | 'notes'>;

/** Packages and vulnerabilities by the SBOMs; both by the same source, or what catalogues differently looks changed. */
async function diffInside(
  pair: readonly [Reference, Reference],
  { platform, files }: Pick<ChangedPlatform, 'platform' | 'files'>,
  deps: DiffDeps,
  call: Call,
): Promise<Inside> {
  if (files.added.length + files.removed.length + files.changed.length === 0) {
    return { packages: { from: 'files', changes: [] }, vulnerabilities: { fixed: [], added: [] }, notes: [] };
  }
  try {
    const [old, now] = [await sbomOf(pair[0], platform, deps, call), await sbomOf(pair[1], platform, deps, call)];
    return await diffSboms([old, now], deps, call);
  } catch (error) {
    if (call.signal?.aborted || !(error instanceof ScannerError)) throw error;
    const notes = [`vulnerabilities are not known, not both have an SBOM: ${messageOf(error)}`];
    if (!mayTouchPackages(files)) return { packages: { from: 'files', changes: [] }, notes };
    const [was, is] = [await deps.stateOf(pair[0], call), await deps.stateOf(pair[1], call)];
    return { packages: { from: 'files', changes: diffPackages(packagesOf(was), packagesOf(is)) }, notes };
  }
}

async function diffSboms(
  [old, now]: readonly [Uint8Array, Uint8Array],
  { cataloguer, scanner }: DiffDeps,
  call: Call,
): Promise<Inside> {
  const changes = diffPackages(cataloguer.packages(old), cataloguer.packages(now));
  const packages = { from: 'sbom', changes } as const;
  try {
    const [was, is] = [await scanner.scan(old, call), await scanner.scan(now, call)];
    const { fixed, added } = diffFindings(was.findings, is.findings);
    return { packages, vulnerabilities: { fixed, added }, notes: [] };
  } catch (error) {
    if (call.signal?.aborted) throw error;
    return { packages, notes: [`vulnerabilities could not be looked up: ${messageOf(error)}`] };
  }
}

/** What the release carries, else what the cataloguer finds now. */
async function sbomOf(reference: Reference, platform: Platform, deps: DiffDeps, call: Call): Promise<Uint8Array> {
  const known = await readSbom(reference, deps, call);
  return known ?? (await deps.cataloguer.catalogue(reference, { platform, signal: call.signal })).native;
}

async function readSbom(reference: Reference, { registry }: DiffDeps, call: Call): Promise<Uint8Array | undefined> {
  const [found] = await registry.referrers(reference, { ...call, artifactType: SYFT_JSON });
  if (found === undefined) return undefined;
  return (await getArtifact(registry, atDigest(reference, found.digest), call))?.layers[0]?.content;
}

const TYPES = { apt: 'deb', apk: 'apk', rpm: 'rpm', none: 'none' } as const;

function packagesOf({ manager, installed }: PackageState): Package[] {
  return installed.map(({ name, version, architecture, source, sourceVersion }) => {
    return { name, version, type: TYPES[manager], architecture, source, sourceVersion };
  });
}

function usage(message: string): FactoryError<'usage'> {
  return new FactoryError(message, { code: 'usage' });
}
