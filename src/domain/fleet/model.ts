import type { Digest } from '../digest.ts';
import type { FreshnessGoals } from '../freshness.ts';
import type { ArchiveMap } from '../packages/archive-address.ts';
import type { Platform } from '../platform.ts';
import type { UpstreamSource } from '../upstream.ts';
import type { Deprecation } from './deprecated.ts';
import type { AccessSettings } from './settings-access.ts';
import type { BuilderSettings } from './settings-builders.ts';
import type { Channel, Freeze } from './settings-channels.ts';
import type { Downstream } from './settings-downstreams.ts';
import type { Gate } from './settings-gates.ts';
import type { Hooks } from './settings-hooks.ts';
import type { NotifySettings } from './settings-notify.ts';
import type { PinSettings } from './settings-pins.ts';
import type { RebuildSettings } from './settings-rebuild.ts';
import type { MirrorSettings, RetentionSettings } from './settings-retention.ts';
import type { RolloutSettings } from './settings-rollout.ts';
import type { WatchSettings } from './settings-watch.ts';

/** Package managers that are rendered; dnf and microdnf share their package sets. */
export type PackageManager = 'apt' | 'apk' | 'dnf' | 'microdnf';

/** `none`: nothing can be installed, and no command is run. */
export type Manager = PackageManager | 'none';

/** A fleet as validated: what ingot.yaml and images/ say, with every name resolved. */
export interface Fleet {
  readonly settings: Settings;
  /** Parents before children; siblings by name. */
  readonly images: readonly Image[];
}

/** ingot.yaml, defaults filled in. */
export interface Settings {
  /** `[a-z0-9]+(-[a-z0-9]+)*` */
  readonly fleet: string;
  /** Host and path below which releases live: `ghcr.io/acme/golden`. Absent: the embedded registry. */
  readonly registry?: string;
  readonly platforms: readonly Platform[];
  /** BuildKit daemons by platform; a platform that is not named is built by the embedded one. */
  readonly builders: Readonly<Partial<Record<Platform, BuilderSettings>>>;
  readonly signing: SigningSettings;
  /** Moving tags beside those of the line (`12`, `12.4`), in the order in which they move. */
  readonly channels: readonly Channel[];
  readonly freezes: readonly Freeze[];
  readonly gates: readonly Gate[];
  readonly policy: PolicySettings;
  readonly scan: ScanSettings;
  /** Base URL or path of the sources, for the label and annotation `org.opencontainers.image.source`. */
  readonly source?: string;
  /** Passed into builds as http_proxy and friends; never stays in an image. */
  readonly proxy?: { readonly http?: string; readonly https?: string; readonly no?: string };
  readonly downstreams: readonly Downstream[];
  /** Where upstreams are read from instead, such as a pull-through cache: see `sourceOf`. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** Where package archives are read from instead: see `mirrorOf`. */
  readonly archives: ArchiveMap;
  readonly rebuild: RebuildSettings;
  /** How often the service looks. */
  readonly watch: WatchSettings;
  readonly mirror: MirrorSettings;
  readonly retention: RetentionSettings;
  /** Further registries that hold every release: host and path, as in `registry`. */
  readonly replicas: readonly string[];
  /** Absent: loopback only, and a link for the first admin. */
  readonly access?: AccessSettings;
  /** What pins of downstreams do, unless their repository says otherwise. */
  readonly pins: PinSettings;
  /** Webhooks that are taken, by who sends them. */
  readonly hooks: Hooks;
  /** Who is told what. */
  readonly notify: NotifySettings;
  /** How soon a change has to be seen, and released. What is absent is no goal. */
  readonly freshness: FreshnessGoals;
  /** In which order downstreams are proposed a release. Absent: all at once. */
  readonly rollout?: RolloutSettings;
}

/** Where the private key comes from. Absent: a key in the data directory, made at first use (embedded registry only). */
export type SigningSettings = { readonly key?: { readonly env: string } | { readonly file: string } };

export interface ScanSettings {
  /** A grype database: path or URL of an archive to import. Absent: grype's own updates. */
  readonly database?: string;
  /** How often the service scans what is in use anew. Absent: every six hours. */
  readonly everySeconds?: number;
}

export type Level = 'block' | 'warn' | 'off';
export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'negligible' | 'unknown';

export interface PolicySettings {
  readonly vulnerabilities: Readonly<Record<Severity, { readonly level: Level; readonly leewayDays: number }>>;
  readonly user: Level;
  readonly secrets: Level;
  readonly inputs: Level;
  readonly platforms: Level;
  readonly packages: Level;
  readonly size: { readonly level: Level; readonly maxBytes: number; readonly growthPercent: number };
  readonly layers: { readonly level: Level; readonly max: number };
  /** Source packages that need not be the same on all platforms. */
  readonly perPlatformPackages?: readonly string[];
  /** Release a candidate that is better than the release in use, though not clean. Absent: yes (decisions 10). */
  readonly unlessBetter?: boolean;
}

/** One golden image: a folder in images/. */
export interface Image {
  /** The folder's name. */
  readonly name: string;
  /** Absolute path of the folder. */
  readonly folder: string;
  readonly description?: string;
  readonly owners: readonly Owner[];
  /** Version line: `12` gives 12.N.M, `3.11` gives 3.11.N. */
  readonly line: string;
  readonly platforms: readonly Platform[];
  /** Rendered from fields, or an own Dockerfile. */
  readonly recipe: RenderedRecipe | OwnRecipe;
  /** Every image that the build uses, base first (a base `scratch` is no input). Each exactly once. */
  readonly inputs: readonly ImageInput[];
  /** What decides the content besides the inputs: part name (`image.yaml#env`, `Dockerfile`, `files/company.crt`, `packages.yaml#base`) to digest. */
  readonly definition: Readonly<Record<string, Digest>>;
  /** Content of the smoke test file (already validated), absent when there is none. */
  readonly smoke?: SmokeTests;
  readonly waivers: readonly Waiver[];
  /** The announced end of its life. */
  readonly deprecated?: Deprecation;
  /** In place of the fleet's. */
  readonly rollout?: RolloutSettings;
  /** Build secrets: mounted while RUN runs, never in a layer. */
  readonly secrets: readonly BuildSecret[];
}

/** Who answers for an image, and how to reach them. */
export interface Owner {
  readonly team: string;
  readonly contact?: string;
}

/** An image that a build uses, and how its definition names it. */
export interface ImageInput {
  readonly role: 'base' | 'input';
  /** As the Dockerfile writes it, the key of the named context (`debian:12`, `golden/debian`; `node` for tracked tags). */
  readonly written: string;
  readonly source: { readonly golden: string } | UpstreamSource;
}

export interface BuildSecret {
  readonly id: string;
  readonly from: { readonly env: string } | { readonly file: string };
  /** Where RUN sees it, default /run/secrets/<id>. */
  readonly target?: string;
}

export interface OwnRecipe {
  readonly kind: 'own';
  /** Absolute path. */
  readonly dockerfile: string;
  /** Absolute path of the build context; when the folder has none, the context is empty. */
  readonly context: string;
  readonly target?: string;
}

/** What a Dockerfile is rendered from. */
export interface RenderedRecipe {
  readonly kind: 'rendered';
  readonly manager: Manager;
  /** Shared packages, sets resolved, sorted, each once. */
  readonly packages: readonly string[];
  /** This image's own packages, sorted, without the shared ones. */
  readonly install: readonly string[];
  readonly upgrade: 'all' | 'security' | 'none';
  readonly files: readonly FileEntry[];
  readonly sources: readonly PackageSource[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Numeric (`10001`, `10001:10001`) or a name that the base knows; inherited from a golden base. */
  readonly user: string;
  readonly workdir?: string;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly locale?: string;
  readonly timezone?: string;
}

/** A file that the image carries. `source` is relative to the image's folder. */
export type FileEntry =
  | { readonly source: string; readonly to: 'trust-store' }
  | { readonly source: string; readonly to: string; readonly mode: string; readonly owner: string };

/** An extra archive: apt's (deb822), apk's or dnf's. Its keyring is relative to the image's folder. */
export interface PackageSource {
  readonly name: string;
  readonly uri: string;
  /** None for dnf; for apk folders below the address. */
  readonly suites: readonly string[];
  readonly components: readonly string[];
  readonly keyring: string;
}

export interface Waiver {
  /** A vulnerability id (`CVE-2026-1234`) or a check id with its subject (`user`). */
  readonly id: string;
  /** Source package that the waiver is limited to. */
  readonly package?: string;
  readonly reason: string;
  /** Last day on which it holds, `YYYY-MM-DD`, UTC. */
  readonly until: string;
}

/** container-structure-test 2.0.0, the parts that ingot runs. Regular expressions are RE2. */
export interface SmokeTests {
  /** sha256 of the file: part of the name under which results are kept. */
  readonly digest: Digest;
  readonly globalEnvVars: readonly { readonly key: string; readonly value: string }[];
  readonly commandTests: readonly CommandTest[];
  readonly fileExistenceTests: readonly FileExistenceTest[];
  readonly fileContentTests: readonly FileContentTest[];
  readonly metadataTest?: MetadataTest;
}

export interface CommandTest {
  readonly name: string;
  readonly setup: readonly (readonly string[])[];
  readonly teardown: readonly (readonly string[])[];
  readonly envVars: readonly { readonly key: string; readonly value: string }[];
  readonly command: string;
  readonly args: readonly string[];
  readonly exitCode: number;
  readonly expectedOutput: readonly string[];
  readonly excludedOutput: readonly string[];
  readonly expectedError: readonly string[];
  readonly excludedError: readonly string[];
}

export interface FileExistenceTest {
  readonly name: string;
  readonly path: string;
  readonly shouldExist: boolean;
  /** `-rwxr-xr-x` */
  readonly permissions?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly isExecutableBy?: 'owner' | 'group' | 'other' | 'any';
}

export interface FileContentTest {
  readonly name: string;
  readonly path: string;
  readonly expectedContents: readonly string[];
  readonly excludedContents: readonly string[];
}

export interface MetadataTest {
  readonly envVars: readonly { readonly key: string; readonly value: string; readonly isRegex: boolean }[];
  readonly labels: readonly { readonly key: string; readonly value: string; readonly isRegex: boolean }[];
  readonly unboundEnvVars: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly exposedPorts: readonly string[];
  readonly unexposedPorts: readonly string[];
  readonly volumes: readonly string[];
  readonly unmountedVolumes: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
}
