import pLimit from 'p-limit';
import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Image } from '../domain/fleet/model.ts';
import { INPUTS_ARTIFACT_TYPE, inputsDigest } from '../domain/inputs.ts';
import { atDigest, type Reference } from '../domain/reference.ts';
import type { Release } from '../domain/staleness.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Verification } from '../signer/signer.ts';
import { BUNDLE_SIGNATURE, LEGACY_SIGNATURE, type ReleaseManifests } from './attachments.ts';
import { readChannelTags } from './channel-tags.ts';
import { explainGap, findDamage, type Gap, inspect } from './damage.ts';
import { readMarks } from './marks.ts';
import type { ReleaseDeps } from './release.ts';
import { ANNOTATIONS, childDigests, readInputs, readRecord } from './releases.ts';
import { agrees, createdOf, lost, type RepairJob, restoreAttachment } from './repair-attachments.ts';
import { restoreContent, restoreFromReplica, sourcesOf } from './repair-content.ts';
import { messageOf } from './steps.ts';

export type RepairDeps = Pick<
  ReleaseDeps,
  'registry' | 'places' | 'settings' | 'attestor' | 'cataloguer' | 'scanner' | 'factory' | 'now'
>;

/** What became of one release. */
export interface RepairReport {
  readonly image: string;
  readonly version: string;
  /** Absent when not even that could be asked. */
  readonly digest?: Digest;
  /** In words, as are the others. With `dryRun`: what is missing, and nothing was put back. */
  readonly missing: readonly string[];
  readonly restored: readonly string[];
  /** What could not be put back, and why. */
  readonly lost: readonly { readonly what: string; readonly why: string }[];
  /** Why it could not be looked at, or not to the end. */
  readonly unknown?: string;
}

export interface RepairOptions {
  readonly dryRun?: boolean;
}

const AT_ONCE = 4;

/**
 * Looks at the release in use of each image, and at each one behind another channel, and puts back what the registry
 * lacks of it. Each piece by itself: killed in the middle, the next call goes on.
 */
export async function repairReleases(
  images: readonly Image[],
  deps: RepairDeps,
  signal: AbortSignal,
  options: RepairOptions = {},
): Promise<readonly RepairReport[]> {
  const limit = pLimit(AT_ONCE);
  const reports = images.map((image) =>
    limit(() => repairImage(image, deps, signal, options).catch((error) => [unknown(image, error, signal)])),
  );
  return (await Promise.all(reports)).flat();
}

async function repairImage(image: Image, deps: RepairDeps, signal: AbortSignal, options: RepairOptions) {
  const repository = deps.places.release(image.name);
  const marks = await readMarks(deps.registry, repository, { signal });
  const journal = marks.flatMap(({ kind, channel }) => (kind === 'channel' && channel ? [channel] : []));
  const names = new Set([image.line, ...deps.settings.channels.map(({ name }) => name), ...journal]);
  const tags = await readChannelTags(deps.registry, repository, [...names], marks, { signal });
  const digests = new Set([...tags.values()].map(({ digest }) => digest));
  const versions = new Map([...tags.values()].map(({ digest, version = '' }) => [digest, version]));
  const reports: RepairReport[] = [];
  for (const digest of digests) {
    try {
      const report = await repairRelease({ image: image.name, repository, digest }, deps, signal, options);
      if (report !== undefined) reports.push(report);
    } catch (error) {
      reports.push({ ...unknown(image, error, signal), version: versions.get(digest)!, digest });
    }
  }
  return reports;
}

/** What cannot be asked, or answers nonsense, holds up no other image. */
function unknown({ name }: Image, error: unknown, signal: AbortSignal): RepairReport {
  if (signal.aborted || !(error instanceof FactoryError)) throw error;
  return { image: name, version: '', missing: [], restored: [], lost: [], unknown: messageOf(error) };
}

/** @returns `undefined` for what ingot did not release */
export async function repairRelease(
  { image, repository, digest }: Pick<RepairJob, 'image' | 'repository' | 'digest'>,
  deps: RepairDeps,
  signal: AbortSignal,
  { dryRun = false }: RepairOptions = {},
): Promise<RepairReport | undefined> {
  const { registry } = deps;
  const stored = await registry.manifest(atDigest(repository, digest), { signal });
  if (stored === undefined) return undefined;
  const index = parseManifest(stored.bytes, 'a release');
  const { annotations = {} } = index;
  const release = { digest, platforms: childDigests(index) };
  const records = await readInputs(registry, atDigest(repository, digest), { signal });
  if (annotations[ANNOTATIONS.inputs] === undefined) return undefined;
  const job = { image, repository, digest, annotations, records };
  const version = annotations[ANNOTATIONS.version] ?? '';
  const gaps = await inspect(repository, release, deps, { signal });
  const known = { image, version, digest, missing: gaps.map(explainGap) };
  if (dryRun || gaps.length === 0) return { ...known, restored: [], lost: [] };
  const { restored, lost: left } = await restore(job, release, gaps, deps, signal);
  return { ...known, restored: restored.map(explainGap), lost: left };
}

type Lost = RepairReport['lost'][number];

/** Content first: nothing can be attached to what is not there, and what is attached to it shows only then. */
async function restore(
  job: RepairJob,
  release: ReleaseManifests,
  gaps: readonly Gap[],
  deps: RepairDeps,
  signal: AbortSignal,
) {
  const { registry, places, settings } = deps;
  const sources = sourcesOf(job.image, job.records, { registry, places, replicas: settings.replicas });
  const content = await each(gaps.filter(isContent), signal, async (gap) => {
    if (await restoreContent(job.repository, gap, sources, registry, { signal })) return;
    throw lost('neither staging, the mirror, a base nor a replica has it');
  });
  const open = content.done.length === 0 ? gaps : await inspect(job.repository, release, deps, { signal });
  const blobs = await each(open.filter(isContent).filter(isNew(gaps)), signal, async (gap) => {
    if (!(await restoreContent(job.repository, gap, sources, registry, { signal }))) throw lost('no place has it');
  });
  const attached = await each(
    open.filter((gap) => !isContent(gap)),
    signal,
    (gap) => restoreWord(job, gap, deps, signal),
  );
  return {
    restored: [...content.done, ...blobs.done, ...attached.done],
    lost: [...content.lost, ...blobs.lost, ...attached.lost],
  };
}

function isContent({ what }: Gap): boolean {
  return !('type' in what);
}

function isNew(known: readonly Gap[]) {
  const names = new Set(known.map(explainGap));
  return (gap: Gap) => !names.has(explainGap(gap));
}

/** One after the other: what an earlier one put back makes the later ones possible. */
async function each(gaps: readonly Gap[], signal: AbortSignal, work: (gap: Gap) => Promise<void>) {
  const [done, left]: [Gap[], Lost[]] = [[], []];
  for (const gap of gaps) {
    try {
      await work(gap);
      done.push(gap);
    } catch (error) {
      if (signal.aborted || !(error instanceof FactoryError)) throw error;
      left.push({ what: explainGap(gap), why: messageOf(error) });
    }
  }
  return { done, lost: left };
}

async function restoreWord(job: RepairJob, gap: Gap, deps: RepairDeps, signal: AbortSignal): Promise<void> {
  const type = 'type' in gap.what ? gap.what.type : '';
  await requireOurs(job, deps, signal);
  if (type === BUNDLE_SIGNATURE || type === LEGACY_SIGNATURE) {
    await deps.attestor.sign(atDigest(job.repository, gap.subject), { createdAt: createdOf(job), signal });
    return;
  }
  // What nothing signs is not believed to a replica, unless the index itself tells that it is the same
  const isTrue = type === INPUTS_ARTIFACT_TYPE ? isNamed(job, deps, signal) : isStated(type, deps, signal);
  if (await restoreFromReplica(job, { subject: gap.subject, type, isTrue }, deps, signal)) return;
  await restoreAttachment(job, gap, deps, signal);
}

function isNamed({ annotations }: RepairJob, { registry }: RepairDeps, signal: AbortSignal) {
  return async (record: Reference): Promise<boolean> => {
    const inputs = await readRecord(registry, record, { signal });
    return inputs !== undefined && inputsDigest(inputs) === annotations[ANNOTATIONS.inputs];
  };
}

function isStated(type: string, { attestor }: RepairDeps, signal: AbortSignal) {
  return async (_: Reference, at: Reference): Promise<boolean> =>
    (await attestor.verify(at, { signal })).attestations.includes(type);
}

/**
 * Who can push could put an image of their own in place, and wait for it to be signed. So only an index about which the
 * key has said something, and that agrees with its record, is spoken for again; and what it lists, by digest.
 */
async function requireOurs(job: RepairJob, { attestor }: RepairDeps, signal: AbortSignal): Promise<void> {
  const verification = await attestor.verify(atDigest(job.repository, job.digest), { signal });
  if (!isSigned(verification)) throw lost('no statement by the key is left that says that this index is ours');
  if (!agrees(job)) throw lost('the index and the record of its inputs do not agree');
}

function isSigned({ bundle, legacy, attestations }: Verification): boolean {
  return bundle === 'valid' || legacy === 'valid' || attestations.length > 0;
}

export interface DamageRepair {
  readonly missing: readonly string[];
  /** What of it could not be put back. */
  readonly lost: readonly string[];
  /** Why it is not known what could be: then nothing is decided from it, and the next cycle tries again. */
  readonly unknown?: string;
}

/** For a cycle: puts back what the registry lacks of the release in use. Whole releases cost what `findDamage` costs. */
export async function repairDamage(
  image: Image,
  release: Release,
  deps: RepairDeps,
  signal: AbortSignal,
): Promise<DamageRepair> {
  const repository = deps.places.release(image.name);
  const damage = await findDamage(repository, release, deps, signal);
  if (damage.length === 0) return { missing: [], lost: [] };
  try {
    const report = await repairRelease({ image: image.name, repository, digest: release.digest }, deps, signal);
    return { missing: damage, lost: report?.lost.flatMap(({ what }) => (what === RECORD ? [] : [what])) ?? damage };
  } catch (error) {
    if (signal.aborted || !(error instanceof FactoryError)) throw error;
    return { missing: damage, lost: [], unknown: messageOf(error) };
  }
}

/** The plan looks at it by itself. */
const RECORD = explainGap({ subject: `sha256:${'0'.repeat(64)}`, what: { type: INPUTS_ARTIFACT_TYPE } });
