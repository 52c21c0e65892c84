import type { Digest } from '../digest.ts';

/** What one platform of an image has installed and from where: read from its files, without running it. */
export interface PackageState {
  /** `none`: no package manager that ingot knows, as in an image from scratch. */
  readonly manager: 'apt' | 'apk' | 'rpm' | 'none';
  /** os-release(5): `{ id: 'debian', version: '12', codename: 'bookworm' }`. */
  readonly os: { readonly id: string; readonly version?: string; readonly codename?: string };
  /** In the manager's own words: `amd64`, `arm64`; `x86_64`, `aarch64`. */
  readonly architecture: string;
  /** dnf's `$releasever`, which addresses of repositories contain. */
  readonly releasever?: string;
  readonly installed: readonly InstalledPackage[];
  /** Files that say where packages come from and whom to trust: absolute path to content (sources.list, keyrings, preferences, repositories, *.repo, RPM-GPG keys). */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** sha256 over all of the above: two platforms that are equal here are asked about once. */
  readonly digest: Digest;
}

export interface InstalledPackage {
  readonly name: string;
  /** As the manager writes it: `1:2.36.1-8+deb12u2`, `3.1.4-r5`, `0:3.0.7-27.el9`. */
  readonly version: string;
  readonly architecture: string;
  readonly source: string;
  readonly sourceVersion: string;
  /** Not to be upgraded (`dpkg --set-selections` hold). */
  readonly held?: boolean;
}

/** A newer version of an installed package, which the manager would take. */
export interface PackageUpdate {
  readonly name: string;
  readonly source: string;
  readonly from: string;
  readonly to: string;
  /** True when it comes from a suite or advisory of security updates. */
  readonly security: boolean;
  /** Where it is offered: `bookworm-security`, a repository's address or id. */
  readonly origin: string;
}
