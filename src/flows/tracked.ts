import type { Known } from '../domain/facts.ts';
import { atTag, type Reference, repositoryOf } from '../domain/reference.ts';
import { chooseTag, nearestTags, type TagChoice, trackText } from '../domain/track.ts';
import type { UpstreamSource } from '../domain/upstream.ts';
import type { Registry } from '../registry/registry.ts';

export interface TagDeps {
  readonly registry: Pick<Registry, 'tags'>;
  /** Where an upstream is read from: itself, or the company's own cache of it. */
  readonly sourceOf: (upstream: Reference) => Reference;
}

/** One upstream reference, and for tracked tags why it is this one. */
export interface Located extends Partial<TagChoice> {
  readonly reference: Reference;
}

/** Says which reference of an upstream is meant now. Tags of a repository are listed once for as long as this lives. */
export function createLocator({ registry, sourceOf }: TagDeps, signal?: AbortSignal) {
  const lists = new Map<string, Promise<readonly string[]>>();
  const tagsOf = (upstream: Reference) => {
    const source = sourceOf(upstream);
    const key = repositoryOf(source);
    const list = lists.get(key) ?? registry.tags(source, { signal, conditional: true });
    lists.set(key, list);
    return list;
  };
  /** @throws RegistryError when the tags could not be listed: then nothing follows from it */
  return async ({ upstream, track }: UpstreamSource): Promise<Exclude<Known<Located>, { state: 'unknown' }>> => {
    if (track === undefined) return { state: 'known', value: { reference: upstream } };
    const tags = await tagsOf(upstream);
    const choice = chooseTag(tags, track);
    if (choice !== undefined) return { state: 'known', value: { reference: atTag(upstream, choice.tag), ...choice } };
    const nearest = nearestTags(tags, track);
    const hint = nearest.length === 0 ? '' : `, the nearest are ${nearest.join(', ')}`;
    const many = tags.length === 0 ? 'has no tags' : `has no tag for ${trackText(track)} among ${tags.length}${hint}`;
    return { state: 'absent', why: `${repositoryOf(upstream)} ${many}` };
  };
}
