import type { Digest } from './digest.ts';
import type { Level, Severity, Waiver } from './fleet/model.ts';
import type { Platform, PlatformFields } from './platform.ts';

/** The parts of an OCI image config that policy and smoke tests look at (image-spec v1.1 config.md). */
export interface ImageConfig extends PlatformFields {
  readonly created?: string | undefined;
  readonly config: {
    readonly User?: string | undefined;
    readonly Env?: readonly string[] | undefined;
    readonly Entrypoint?: readonly string[] | undefined;
    readonly Cmd?: readonly string[] | undefined;
    readonly WorkingDir?: string | undefined;
    readonly Labels?: Readonly<Record<string, string>> | undefined;
    readonly ExposedPorts?: Readonly<Record<string, unknown>> | undefined;
    readonly Volumes?: Readonly<Record<string, unknown>> | undefined;
  };
  readonly history: readonly { readonly created_by?: string | undefined; readonly empty_layer?: boolean | undefined }[];
}

/** One installed package, as an SBOM tells. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** `deb`, `apk`, `rpm`, `python`, … (syft's package types). */
  readonly type: string;
  readonly architecture?: string;
  /** Source package and its version, where the ecosystem has them; else name and version. */
  readonly source: string;
  readonly sourceVersion: string;
}

/** One known vulnerability of one source package. */
export interface Finding {
  readonly id: string;
  readonly severity: Severity;
  /** Source package that the advisory names. */
  readonly source: string;
  /** Binary packages that are affected, sorted. */
  readonly packages: readonly string[];
  readonly installed: string;
  readonly fix: {
    readonly state: 'fixed' | 'not-fixed' | 'wont-fix' | 'unknown';
    readonly versions: readonly string[];
    readonly since?: string;
  };
  readonly url?: string;
  /** It is known to be exploited (CISA KEV). */
  readonly exploited?: boolean;
}

/** What is known of one platform of a candidate. */
export interface PlatformFacts {
  readonly platform: Platform;
  readonly digest: Digest;
  readonly config: ImageConfig;
  /** Compressed bytes of all layers. */
  readonly size: number;
  readonly layers: number;
  readonly packages: readonly Package[];
  readonly findings: readonly Finding[];
  readonly smoke: SmokeReport;
}

export interface SmokeReport {
  readonly results: readonly { readonly name: string; readonly passed: boolean; readonly message?: string }[];
}

/** Everything that a verdict is computed from. */
export interface CandidateFacts {
  readonly image: string;
  /** Declared platforms, all of which must be there. */
  readonly declared: readonly Platform[];
  readonly platforms: readonly PlatformFacts[];
  /** Full references of all inputs, as the definition names them. */
  readonly inputs: readonly string[];
  /** Compressed bytes by platform of the release in use, absent when there is none. */
  readonly previousSize?: Readonly<Partial<Record<Platform, number>>>;
  /** Findings by platform of the release in use, as the same database sees them; absent when there is none. */
  readonly previousFindings?: Readonly<Partial<Record<Platform, readonly Finding[]>>>;
}

/** One result of a check, in words a person can act on. */
export interface PolicyFinding {
  /** Check id: `vulnerabilities`, `user`, `secrets`, `inputs`, `platforms`, `packages`, `size`, `layers`, `smoke`. */
  readonly check: string;
  readonly level: Level;
  readonly platform?: Platform;
  /** What a waiver names: a vulnerability id, or the check id. */
  readonly subject: string;
  readonly package?: string;
  readonly message: string;
}

export interface Verdict {
  readonly allowed: boolean;
  /** Blocking findings that no waiver covers. */
  readonly blocked: readonly PolicyFinding[];
  readonly warnings: readonly PolicyFinding[];
  readonly waived: readonly { readonly finding: PolicyFinding; readonly waiver: Waiver }[];
  /** Ids of the checks that ran. */
  readonly checks: readonly string[];
  /** What a person should know besides: why a candidate that is not clean is allowed all the same. */
  readonly notes: readonly string[];
}
