import { commentOf } from '../domain/bump/comments.ts';
import type { AdoptedUpstream, EndedLine, ImageChange, ReleaseChoice } from '../domain/bump/format.ts';
import type { PinPolicy } from '../domain/bump/policy.ts';
import { isPastEndOfLife } from '../domain/end-of-life.ts';
import type { Image } from '../domain/fleet/model.ts';
import { atTag, type Reference, repositoryOf } from '../domain/reference.ts';
import { isVersionTag } from '../domain/version.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Registry } from '../registry/registry.ts';
import { childDigests } from './releases.ts';

/** More are not looked at: a pin that may only have an older one is told so. */
const MAX_OLDER = 50;

/** Upstreams that an image is built from, for the offer to use it in their place. */
export function adoptedUpstreams({ inputs }: Pick<Image, 'inputs'>): readonly AdoptedUpstream[] {
  return inputs.flatMap(({ role, source }) => {
    if (role !== 'base' || !('upstream' in source)) return [];
    const { tag } = source.upstream;
    return [{ repository: repositoryOf(source.upstream), ...(tag === undefined ? {} : { tag }) }];
  });
}

/** The image's own line, when its life is over. @param now RFC 3339 */
export function endedLines(image: Pick<Image, 'deprecated' | 'line'>, now: string): readonly EndedLine[] {
  return image.deprecated !== undefined && isPastEndOfLife(image, now)
    ? [{ line: image.line, ...image.deprecated }]
    : [];
}

/** Every release of an image that is still there, newest first; asked once, and only when somebody wants it. */
export function createOlder(repository: Reference, registry: Registry, signal: AbortSignal) {
  let asked: Promise<readonly ReleaseChoice[]> | undefined;
  return () => {
    asked ??= readOlder(repository, registry, signal);
    return asked;
  };
}

async function readOlder(repository: Reference, registry: Registry, signal: AbortSignal): Promise<ReleaseChoice[]> {
  const versions = (await registry.tags(repository, { signal })).filter(isVersionTag);
  const newest = versions.sort((a, b) => b.localeCompare(a, 'en', { numeric: true })).slice(0, MAX_OLDER);
  const found: ReleaseChoice[] = [];
  for (const version of newest) {
    const stored = await registry.manifest(atTag(repository, version), { signal });
    if (stored === undefined) continue;
    const platforms = childDigests(parseManifest(stored.bytes, 'an index'));
    found.push({ version, digest: stored.descriptor.digest, platforms });
  }
  return found;
}

/** What a file wants of its pins, with the older releases where that may need one. */
export async function withPolicy(
  change: ImageChange,
  policy: Partial<PinPolicy>,
  content: Uint8Array,
  older: (() => Promise<readonly ReleaseChoice[]>) | undefined,
): Promise<ImageChange> {
  const wanted = { ...change, policy };
  return older !== undefined && mayNeedOlder(policy, content) ? { ...wanted, releases: await older() } : wanted;
}

function mayNeedOlder({ update = 'minor' }: Partial<PinPolicy>, content: Uint8Array): boolean {
  if (typeof update === 'object' || update === 'patch' || update === 'digest-only') return true;
  const text = Buffer.from(content).toString('utf8');
  return text.includes('ingot:') && text.split('\n').some((line) => commentOf(line)?.policy.update !== undefined);
}
