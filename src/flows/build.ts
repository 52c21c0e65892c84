import type { Builder } from '../builder/builder.ts';
import type { Digest } from '../domain/digest.ts';
import { usesSnapshot } from '../domain/dockerfile/render.ts';
import { LISTS } from '../domain/dockerfile/render-run.ts';
import type { Image } from '../domain/fleet/model.ts';
import type { MirrorSettings } from '../domain/fleet/settings-retention.ts';
import { candidateKey, epochOf, type Inputs, type ResolvedInput } from '../domain/inputs.ts';
import { type Places, stagingTag } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, atTag, type Reference, repositoryOf } from '../domain/reference.ts';
import { isTracked, parseUpstream } from '../domain/upstream.ts';
import type { SmokeReport } from '../domain/verdict.ts';
import { type Registry, RegistryError } from '../registry/registry.ts';
import { createEvidenceStore } from './evidence.ts';
import { isMirrored, mirrorInput, pinOf } from './mirror.ts';
import { ANNOTATIONS } from './releases.ts';
import type { Step } from './steps.ts';

/** A build context on disk, made for one build and removed after it. */
export interface PreparedContext {
  /** Absolute paths. */
  readonly context: string;
  readonly dockerfile: string;
  readonly target?: string;
  /** Written name to the input that it means. */
  readonly names: Readonly<Record<string, ResolvedInput>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly args: Readonly<Record<string, string>>;
  /** Further folders that the Dockerfile names. */
  readonly folders: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

export interface BuildDeps {
  readonly registry: Registry;
  readonly builder: Builder;
  readonly places: Places;
  readonly sourceOf: (upstream: Reference) => Reference;
  readonly mirror?: MirrorSettings;
  /** Folder of the archives' lists, for a build that takes packages from them. */
  readonly lists: (image: Image, inputs: Inputs, signal: AbortSignal) => Promise<string | undefined>;
  /** Files of the base with the addresses of mirrors, by path. */
  readonly sources: (
    image: Image,
    inputs: Inputs,
    platform: Platform,
    signal: AbortSignal,
  ) => Promise<Readonly<Record<string, string>>>;
  readonly prepare: (
    image: Image,
    inputs: Inputs,
    platform: Platform,
    sources: Readonly<Record<string, string>>,
  ) => Promise<PreparedContext>;
  readonly smoke: (image: Image, reference: Reference, platform: Platform, signal: AbortSignal) => Promise<SmokeReport>;
  readonly onLog: (platform: Platform, line: string) => void;
}

/** The steps that make and test one platform of a candidate: mirror, build, smoke. */
export function buildSteps(image: Image, inputs: Inputs, platform: Platform, deps: BuildDeps): readonly Step[] {
  const job = {
    image,
    inputs,
    platform,
    key: candidateKey(inputs),
    staging: deps.places.staging(image.name),
  };
  return [mirrorStep(job, deps), buildStep(job, deps), ...(image.smoke === undefined ? [] : [smokeStep(job, deps)])];
}

interface Job {
  readonly image: Image;
  readonly inputs: Inputs;
  readonly platform: Platform;
  readonly key: string;
  readonly staging: Reference;
}

function mirrorStep({ inputs, platform }: Job, deps: BuildDeps): Step {
  return {
    name: 'mirror',
    platform,
    external: true,
    async isDone(signal) {
      const there = await Promise.all(inputs.inputs.map((input) => isMirrored(input, platform, deps, { signal })));
      return there.every(Boolean);
    },
    async run(signal) {
      for (const input of inputs.inputs) await mirrorInput(input, platform, deps, { signal });
    },
  };
}

function buildStep(job: Job, deps: BuildDeps): Step {
  const { platform, staging, key } = job;
  const target = atTag(staging, stagingTag.build(key, platform));
  return {
    name: 'build',
    platform,
    external: true,
    isDone: async (signal) => (await deps.registry.head(target, { signal })) !== undefined,
    async run(signal) {
      const digest = await build(job, deps, signal);
      await tagManifest(deps.registry, atDigest(staging, digest), target, signal);
    },
  };
}

async function build(job: Job, deps: BuildDeps, signal: AbortSignal): Promise<Digest> {
  const { image, inputs, platform, staging } = job;
  const lists = await deps.lists(image, inputs, signal);
  const sources = await deps.sources(image, inputs, platform, signal);
  const prepared = await deps.prepare(image, inputs, platform, sources);
  try {
    const pins = Object.entries(prepared.names).map(([written, input]) => [
      written,
      pinOf(input, platform, deps.places),
    ]);
    return await deps.builder.build({
      platform,
      context: prepared.context,
      dockerfile: prepared.dockerfile,
      ...(prepared.target === undefined ? {} : { target: prepared.target }),
      pins: Object.fromEntries(pins),
      folders: { ...prepared.folders, ...(lists && { [LISTS]: lists }) },
      epoch: epochOf(inputs),
      args: prepared.args,
      annotations: platformAnnotations(inputs, platform),
      secrets: prepared.secrets,
      push: staging,
      ...(needsFreshBuild(image, inputs) && { fresh: true }),
      signal,
      onLog: (line) => deps.onLog(platform, line),
    });
  } finally {
    await prepared.remove();
  }
}

/**
 * What an own Dockerfile, or apt by itself, downloads is no part of the keys of the build's cache: it would find what
 * was there before. A snapshot is a part of them.
 */
function needsFreshBuild({ recipe }: Image, { requestedAt }: Inputs): boolean {
  return requestedAt !== undefined || recipe.kind === 'own' || !usesSnapshot(recipe);
}

/** Only what the inputs decide: the platform's own base manifest, not the index that held it. */
function platformAnnotations(inputs: Inputs, platform: Platform): Record<string, string> {
  const base = inputs.inputs.find((input) => input.role === 'base');
  const digest = base?.platforms[platform];
  const created = new Date(epochOf(inputs) * 1000).toISOString();
  if (base === undefined || digest === undefined) return { [ANNOTATIONS.created]: created };
  // A tracked tag is no part of the inputs, so it may be none of the content: the release's index names it.
  const name = isTracked(base.name) ? repositoryOf(parseUpstream(base.name)) : base.name;
  return { [ANNOTATIONS.baseName]: name, [ANNOTATIONS.baseDigest]: digest, [ANNOTATIONS.created]: created };
}

function smokeStep({ image, platform, staging, key }: Job, deps: BuildDeps): Step {
  const evidence = createEvidenceStore(deps.registry, staging);
  const tag = stagingTag.smoke(key, platform, image.smoke!.digest);
  const built = async (signal: AbortSignal) =>
    requireDigest(deps.registry, atTag(staging, stagingTag.build(key, platform)), signal);
  return {
    name: 'smoke',
    platform,
    external: true,
    isDone: async (signal) => evidence.has(tag, await built(signal), { signal }),
    async run(signal) {
      const digest = await built(signal);
      const report = await deps.smoke(image, atDigest(staging, digest), platform, signal);
      await evidence.putJson(tag, 'smoke', digest, report, { signal });
    },
  };
}

/** The digest behind a tag that an earlier step made. */
export async function requireDigest(registry: Registry, reference: Reference, signal: AbortSignal): Promise<Digest> {
  const head = await registry.head(reference, { signal });
  if (head !== undefined) return head.digest;
  const { repository, tag } = reference;
  throw new RegistryError(`${repository}:${tag} vanished from staging while the run was under way; run again`, {
    code: 'missing-content',
    retryable: true,
  });
}

/** Puts the same bytes under another tag of the same repository: no upload. */
export async function tagManifest(
  registry: Registry,
  from: Reference,
  to: Reference,
  signal: AbortSignal,
): Promise<void> {
  const stored = await registry.manifest(from, { signal });
  if (stored === undefined) {
    throw new RegistryError(`${from.repository}@${from.digest} is not in the registry`, { code: 'missing-content' });
  }
  await registry.putManifest(to, { mediaType: stored.descriptor.mediaType, bytes: stored.bytes }, { signal });
}
