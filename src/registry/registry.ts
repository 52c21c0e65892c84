import type { Digest } from '../domain/digest.ts';
import { type CommonCode, FactoryError } from '../domain/errors.ts';
import type { PlatformFields } from '../domain/platform.ts';
import type { Reference } from '../domain/reference.ts';

export type RegistryErrorCode =
  | CommonCode
  | 'unauthorised'
  | 'rate-limited'
  | 'unavailable'
  | 'missing-content'
  | 'digest-mismatch'
  | 'protocol';

/** The registry could not be asked, or refused. Absence is not an error: it is `undefined`. */
export class RegistryError extends FactoryError<RegistryErrorCode> {}

/** OCI content descriptor (image-spec v1.1 descriptor.md). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly platform?: PlatformFields | undefined;
  readonly artifactType?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** A manifest as the registry stores it: the exact bytes, never serialised anew. */
export interface StoredManifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** OCI image manifest or index, Docker's twins read as the same (only fields that we use). */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string | undefined;
  readonly artifactType?: string | undefined;
  readonly config?: Descriptor | undefined;
  readonly layers?: readonly Descriptor[] | undefined;
  readonly manifests?: readonly Descriptor[] | undefined;
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface Call {
  readonly signal?: AbortSignal | undefined;
}

/** Where images are read and written. References need `tag` or `digest` where a manifest is meant. */
export interface Registry {
  /** HEAD: what a tag or digest points to now; `undefined` when absent. */
  head(reference: Reference, call?: Call): Promise<Descriptor | undefined>;
  /** GET, bytes verified against the digest; `undefined` when absent. */
  manifest(reference: Reference, call?: Call): Promise<StoredManifest | undefined>;
  /** A whole blob, verified; at most `limit` bytes (default 32 MiB). */
  blob(
    reference: Reference,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    options?: Call & { limit?: number },
  ): Promise<Uint8Array>;
  /** A blob as a stream, verified at its end. */
  blobStream(
    reference: Reference,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    call?: Call,
  ): Promise<AsyncIterable<Uint8Array>>;
  /** HEAD: whether a repository has a blob. */
  hasBlob(repository: Reference, blob: Pick<Descriptor, 'digest' | 'size'>, call?: Call): Promise<boolean>;
  /** Brings one blob of another repository here, unless it is there: mounted where it can be. @throws `missing-content` */
  copyBlob(from: Reference, to: Reference, blob: Pick<Descriptor, 'digest' | 'size'>, call?: Call): Promise<void>;
  /**
   * All tags, sorted; empty when the repository does not exist.
   * @param options.conditional of pages with an ETag only those that changed; for looks at others' repositories
   */
  tags(repository: Reference, options?: Call & { conditional?: boolean }): Promise<readonly string[]>;
  /** Referrers of a digest, from the API or the fallback tag (distribution-spec v1.1, Referrers). */
  referrers(subject: Reference, options?: Call & { artifactType?: string }): Promise<readonly Descriptor[]>;
  /** Uploads a blob unless it is there; tries a mount from `mountFrom` first. */
  putBlob(repository: Reference, content: Uint8Array, options?: Call & { mediaType?: string }): Promise<Descriptor>;
  /** PUT under the reference's tag or digest. Maintains the fallback index when the manifest has a subject and the registry has no referrers API. */
  putManifest(
    reference: Reference,
    manifest: { mediaType: string; bytes: Uint8Array },
    call?: Call,
  ): Promise<Descriptor>;
  /** Copies a manifest (children and blobs first) between repositories: mounts where it can, streams where it must. `to.tag` optional. Returns the descriptor. */
  copy(from: Reference, to: Reference, call?: Call): Promise<Descriptor>;
  /** Removes a tag or digest; true when it is gone. What still needs it is the caller's business. */
  remove(reference: Reference, call?: Call): Promise<boolean>;
}

export const MEDIA_TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.oci.image.config.v1+json',
  empty: 'application/vnd.oci.empty.v1+json',
} as const;

export function isIndex(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.index || mediaType === MEDIA_TYPES.dockerList;
}
