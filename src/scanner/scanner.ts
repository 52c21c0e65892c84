import { type CommonCode, FactoryError } from '../domain/errors.ts';
import type { Platform } from '../domain/platform.ts';
import type { Reference } from '../domain/reference.ts';
import type { Finding, Package } from '../domain/verdict.ts';

export type ScannerErrorCode = CommonCode | 'no-database' | 'unavailable' | 'tool-failed' | 'protocol';

export class ScannerError extends FactoryError<ScannerErrorCode> {}

/** What is in an image: the tool's own form for rescans, and SPDX 2.3 JSON to publish. */
export interface Sbom {
  /** The cataloguer's own JSON (syft-json), the best input for matching. */
  readonly native: Uint8Array;
  /** SPDX 2.3 JSON; random ids and times replaced by what the digest decides. */
  readonly spdx: Uint8Array;
}

/** Lists what is in an image. */
export interface Cataloguer {
  readonly name: string;
  /** `reference` is a platform manifest by digest. */
  catalogue(reference: Reference, options: { platform: Platform; signal?: AbortSignal | undefined }): Promise<Sbom>;
  /** Pure: packages from the native form. */
  packages(native: Uint8Array): readonly Package[];
}

export interface VulnerabilityDatabase {
  /** Changes when the content changes: checksum, or time it was built. */
  readonly id: string;
  /** RFC 3339. */
  readonly built: string;
}

export interface ScanReport {
  readonly findings: readonly Finding[];
  readonly database: VulnerabilityDatabase;
  readonly scanner: { readonly name: string; readonly version: string };
}

/** Matches packages with known vulnerabilities. */
export interface Scanner {
  readonly name: string;
  /** @throws ScannerError `no-database` */
  database(signal?: AbortSignal): Promise<VulnerabilityDatabase>;
  scan(native: Uint8Array, options?: { signal?: AbortSignal | undefined }): Promise<ScanReport>;
}
