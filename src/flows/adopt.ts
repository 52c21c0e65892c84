import { type Adoption, decideAdoption, type FoundTag, foreignTags, isMachinery } from '../domain/adoption.ts';
import { channelsAtRelease } from '../domain/channel-stages.ts';
import type { Image, Settings } from '../domain/fleet/model.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import { isOfLine } from '../domain/version.ts';
import { parseManifest } from '../registry/manifest.ts';
import { type Call, isIndex, type Registry } from '../registry/registry.ts';
import type { Attestor } from '../signer/signer.ts';
import { withMarkLog } from './channel-moves.ts';
import { readMarks } from './marks.ts';
import { ANNOTATIONS } from './releases.ts';
import type { StageDeps } from './stages.ts';
import type { Ending } from './steps.ts';

/** What the first release of an image would change in its repository. Nothing is written. */
export async function readAdoption(image: Image, deps: StageDeps, signal: AbortSignal): Promise<Adoption> {
  const { registry, settings } = deps;
  const repository = deps.places.release(image.name);
  const [all, marks] = await Promise.all([
    registry.tags(repository, { signal }),
    readMarks(registry, repository, { signal }),
  ]);
  const tags = all.filter((tag) => !isMachinery(tag));
  const found = await Promise.all(tags.map((tag) => readTag(atTag(repository, tag), registry, { signal })));
  const seen = await withSignatures(repository, found.flat(), deps.attestor, signal);
  const atOnce = channelsAtRelease({ ...settings, freezes: [] }, { critical: false, now: deps.now().toISOString() });
  const later = settings.channels.map(({ name }) => name).filter((name) => !atOnce.includes(name));
  return decideAdoption({ line: image.line, channels: { atOnce, later }, tags: seen, marks });
}

async function readTag(reference: Reference, registry: Registry, call: Call): Promise<FoundTag[]> {
  const stored = await registry.manifest(reference, call);
  if (stored === undefined) return [];
  const { annotations } = parseManifest(stored.bytes, 'an image');
  const version = annotations?.[ANNOTATIONS.version];
  const own = isIndex(stored.descriptor.mediaType) && Boolean(annotations?.[ANNOTATIONS.inputs]);
  return [{ tag: reference.tag!, digest: stored.descriptor.digest, own, ...(version && { version }) }];
}

/** Asked once for each digest: several tags often name the same. */
async function withSignatures(
  repository: Reference,
  tags: readonly FoundTag[],
  attestor: Attestor,
  signal: AbortSignal,
): Promise<readonly FoundTag[]> {
  const digests = [...new Set(tags.map(({ digest }) => digest))];
  const answers = digests.map(async (digest) => {
    const { bundle, legacy } = await attestor.verify(atDigest(repository, digest), { signal });
    return [digest, bundle === 'valid' && legacy === 'valid'] as const;
  });
  const signed = new Map(await Promise.all(answers));
  return tags.map((tag) => ({ ...tag, signed: signed.get(tag.digest)! }));
}

/**
 * Records that ingot may move the tags of others from now on, and that it never gives out their versions.
 * No tag moves. Twice is once.
 */
export async function adopt(
  image: Image,
  { versions, open }: Adoption,
  by: string,
  deps: StageDeps,
  signal: AbortSignal,
): Promise<void> {
  const repository = deps.places.release(image.name);
  await withMarkLog(repository, deps, signal, async ({ log }) => {
    const given = new Set(log.marks.flatMap((mark) => (mark.kind === 'version' ? (mark.version ?? []) : [])));
    for (const { tag, digest } of versions) {
      if (!given.has(tag)) await log.add({ kind: 'version', version: tag, digest, by, note: 'adopted' });
    }
    const adopted = new Set(log.marks.flatMap((mark) => (mark.kind === 'adopted' ? (mark.channel ?? []) : [])));
    const channels = open.filter((tag) => !adopted.has(tag));
    if (channels.length > 0) await log.add({ kind: 'adopted', channels, by });
  });
}

/**
 * Ends a run whose release would move a tag that somebody else made (promise 1: no tag of others is overwritten
 * silently). Before anything is published.
 */
export async function refuseForeign(
  { image, repository }: { readonly image: Image; readonly repository: Reference },
  { registry, settings }: { readonly registry: Registry; readonly settings: Settings },
  signal: AbortSignal,
): Promise<Ending | undefined> {
  const channels = settings.channels.map(({ name }) => name);
  const isOurs = (tag: string) => tag === image.line || channels.includes(tag) || isNarrow(tag, image.line);
  const tags = (await registry.tags(repository, { signal })).filter(isOurs);
  const found = await Promise.all(tags.map((tag) => readTag(atTag(repository, tag), registry, { signal })));
  const theirs = found.flat().filter(({ own }) => !own);
  if (theirs.length === 0) return undefined;
  const foreign = foreignTags(theirs, await readMarks(registry, repository, { signal }));
  return foreign.length === 0 ? undefined : { outcome: 'blocked', summary: explainForeign(image.name, foreign) };
}

function isNarrow(tag: string, line: string): boolean {
  return /^\d+\.\d+$/.test(tag) && isOfLine(line, tag);
}

function explainForeign(image: string, tags: readonly string[]): string {
  const what = tags.length === 1 ? `the tag ${tags[0]} was` : `the tags ${tags.join(', ')} were`;
  return `${what} not made by ingot, and a release would move ${tags.length === 1 ? 'it' : 'them'}; "ingot adopt ${image}" shows what would change and "--yes" lets it`;
}
