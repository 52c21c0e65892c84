import { formatReference, parseReference, type Reference, repositoryOf } from '../reference.ts';
import type { Settings } from './model.ts';

/**
 * Where an upstream is read from: itself, or what `upstreams` in ingot.yaml names instead (a pull-through cache, say).
 * A key is a registry (`docker.io`), a path below one, a repository, or a repository with tag; the longest one that
 * fits counts. The name of the upstream stays what it was: only requests go elsewhere.
 */
export function sourceOf(reference: Reference, { upstreams }: Pick<Settings, 'upstreams'>): Reference {
  const { tag, digest } = reference;
  const repository = repositoryOf(reference);
  const tagged = tag === undefined ? undefined : upstreams[`${repository}:${tag}`];
  if (tagged !== undefined) {
    const source = parseReference(tagged);
    return { ...source, tag: source.tag ?? tag!, ...(digest === undefined ? {} : { digest }) };
  }
  const prefix = Object.keys(upstreams)
    .filter((key) => key === repository || repository.startsWith(`${key}/`))
    .sort((a, b) => b.length - a.length)[0];
  if (prefix === undefined) return reference;
  const { registry, repository: path } = parseReference(`${upstreams[prefix]}${repository.slice(prefix.length)}`);
  return { ...reference, registry, repository: path };
}

/** What is wrong with an entry of `upstreams`, if anything. */
export function mistakeInUpstream(key: string, value: string): { message: string; remedy: string } | undefined {
  const remedy = 'write full names with their host, as in "docker.io/library: mirror.acme.example/hub"';
  if (!hasHost(key)) return { message: `"${key}" is no registry, path or repository`, remedy };
  if (!hasHost(value)) return { message: `"${value}" is no registry, path or repository`, remedy };
  try {
    const from = parseReference(key.includes('/') ? key : `${key}/any`);
    const to = parseReference(value.includes('/') ? value : `${value}/any`);
    if (from.digest !== undefined || to.digest !== undefined)
      return { message: 'a digest is not possible here', remedy };
    if (from.tag !== undefined && !key.startsWith(repositoryOf(from)))
      return { message: `"${key}" is not in its full form`, remedy: `write ${formatReference(from)}` };
    if (from.tag === undefined && to.tag !== undefined)
      return {
        message: `"${value}" has a tag and "${key}" has none`,
        remedy: 'write both with a tag, or both without',
      };
    return undefined;
  } catch {
    return { message: `"${key}: ${value}" names no image repositories`, remedy };
  }
}

function hasHost(name: string): boolean {
  const first = name.split('/')[0]!;
  return first.includes('.') || first.includes(':') || first === 'localhost';
}
