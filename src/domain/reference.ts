import { type Digest, isDigest } from './digest.ts';
import { FactoryError } from './errors.ts';

/** An image reference in its full form. `registry` is the host as people write it (`docker.io`). */
export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * Reads `[host[:port]/]path[:tag][@sha256:…]`; a name without host means Docker Hub, one without a slash
 * its `library/` (the familiar form, as in the Docker CLI).
 * @throws FactoryError `usage` with what is wrong in the text
 */
export function parseReference(text: string): Reference {
  const [name = '', digest, ...rest] = text.split('@');
  if (rest.length > 0) throw invalid(text, 'it has more than one "@"');
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, 'a digest is sha256: and 64 hex digits');
  const colon = name.lastIndexOf(':');
  const tagged = colon > name.lastIndexOf('/');
  const tag = tagged ? name.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, `"${tag}" is no tag`);
  const { registry, repository } = splitHost(tagged ? name.slice(0, colon) : name);
  if (!REPOSITORY.test(repository)) throw invalid(text, `"${repository}" is no repository name`);
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

function splitHost(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash === -1 ? '' : name.slice(0, slash);
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost';
  if (!isHost) return { registry: 'docker.io', repository: slash === -1 ? `library/${name}` : name };
  const registry = first === 'index.docker.io' ? 'docker.io' : first;
  const path = name.slice(slash + 1);
  return { registry, repository: registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path };
}

function invalid(text: string, why: string): FactoryError<'usage'> {
  return new FactoryError(`"${text}" is no image reference: ${why}`, { code: 'usage' });
}

/** The full form: `docker.io/library/debian:12@sha256:…`. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${repositoryOf(reference)}${tag}${digest}`;
}

/** The full name without tag and digest: `docker.io/library/debian`. */
export function repositoryOf(reference: Pick<Reference, 'registry' | 'repository'>): string {
  return `${reference.registry}/${reference.repository}`;
}

/** As people write it: `debian:12`; the default host and `library/` dropped. */
export function familiarReference(reference: Reference): string {
  const full = formatReference(reference);
  return full.replace(/^docker\.io\/library\//, '').replace(/^docker\.io\//, '');
}

/** The same repository, by digest alone. */
export function atDigest(reference: Pick<Reference, 'registry' | 'repository'>, digest: Digest): Reference {
  return { registry: reference.registry, repository: reference.repository, digest };
}

/** The same repository, by tag alone. */
export function atTag(reference: Pick<Reference, 'registry' | 'repository'>, tag: string): Reference {
  return { registry: reference.registry, repository: reference.repository, tag };
}
