import { channelPositions } from '../domain/channel-journal.ts';
import type { ChannelTag } from '../domain/channel-moves.ts';
import type { Mark } from '../domain/marks.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { ANNOTATIONS } from './releases.ts';

/** What channels point to now; those that point nowhere are missing. What the journal knows is not asked again. */
export async function readChannelTags(
  registry: Registry,
  repository: Reference,
  channels: readonly string[],
  marks: readonly Mark[],
  call: Call,
): Promise<ReadonlyMap<string, ChannelTag>> {
  const positions = channelPositions(marks);
  const read = channels.map(async (channel) => {
    const head = await registry.head(atTag(repository, channel), call);
    if (head === undefined) return [];
    const { digest } = head;
    const position = positions.get(channel);
    const version =
      position?.digest === digest ? position.version : await readVersion(registry, atDigest(repository, digest), call);
    return [[channel, { digest, ...(version && { version }) }] as const];
  });
  return new Map((await Promise.all(read)).flat());
}

/** As its annotation says; `undefined` for what ingot did not release. */
export async function readVersion(registry: Registry, reference: Reference, call: Call): Promise<string | undefined> {
  const stored = await registry.manifest(reference, call);
  return stored && parseManifest(stored.bytes, 'a release').annotations?.[ANNOTATIONS.version];
}
