import type { RpmHeader } from './rpm-header.ts';
import type { InstalledPackage } from './state.ts';

/** Where rpm keeps its database: Fedora and what comes after it, everybody else, images of OSTree. */
const DATABASE_FOLDERS = ['/usr/lib/sysimage/rpm/', '/var/lib/rpm/', '/usr/share/rpm/'];

/** SQLite with its write-ahead log; Berkeley DB until RHEL 8, and SUSE's own format. */
export const RPM_SQLITE = DATABASE_FOLDERS.map((folder) => `${folder}rpmdb.sqlite`);
export const RPM_OTHERS = DATABASE_FOLDERS.flatMap((folder) => [`${folder}Packages`, `${folder}Packages.db`]);

export function isRpmDatabase(path: string): boolean {
  return RPM_SQLITE.includes(path.replace(/-wal$/, '')) || RPM_OTHERS.includes(path);
}

/** dnf's main configuration, the later one is of yum. */
export const DNF_CONF = ['/etc/dnf/dnf.conf', '/etc/yum.conf'];
const VERSIONLOCK = ['/etc/dnf/plugins/versionlock.list', '/etc/yum/pluginconf.d/versionlock.list'];

export function isRepoFile(path: string): boolean {
  return /^\/(etc\/yum\.repos\.d|etc\/yum\/repos\.d|etc\/distro\.repos\.d|usr\/share\/dnf5\/repos\.d)\/[^/]+\.repo$/.test(
    path,
  );
}

/** One variable a file, `$name` in addresses. */
export function isDnfVariable(path: string): boolean {
  return /^\/(etc\/dnf\/vars|etc\/yum\/vars|usr\/share\/dnf5\/vars\.d)\/[^/]+$/.test(path);
}

export function isVersionlock(path: string): boolean {
  return VERSIONLOCK.includes(path);
}

/** What decides where dnf takes packages from, and whom it trusts. */
export function isDnfFile(path: string): boolean {
  const isKey = path.startsWith('/etc/pki/rpm-gpg/');
  return isRepoFile(path) || isDnfVariable(path) || DNF_CONF.includes(path) || isVersionlock(path) || isKey;
}

/** Native is what rpm itself, or else most packages are built for. */
export function nativeRpmArchitecture(installed: readonly InstalledPackage[]): string {
  const own = installed.filter(({ architecture }) => architecture !== 'noarch');
  const rpm = own.find(({ name }) => name === 'rpm-libs' || name === 'glibc');
  const counts = Map.groupBy(own, ({ architecture }) => architecture);
  const [most] = [...counts].sort(([, a], [, b]) => b.length - a.length);
  return rpm?.architecture ?? most?.[0] ?? 'noarch';
}

/** Of which one names the release, in dnf's order (dnf/const.py, DISTROVERPKG). */
const RELEASE_NAMES = [
  'system-release(releasever)',
  'system-release',
  'distribution-release(releasever)',
  'distribution-release',
  'redhat-release',
  'suse-release',
];

/** `$releasever`: the version that the package of the release provides, else its own (dnf/rpm/__init__.py). */
export function releaseVersion(headers: readonly RpmHeader[]): string | undefined {
  for (const name of RELEASE_NAMES) {
    const found = headers.find(({ package: own, provides }) => own.name === name || provides.has(name));
    if (found === undefined) continue;
    const provided = name.endsWith(')') ? found.provides.get(name) : '';
    return withoutRelease(provided || found.package.version);
  }
  return undefined;
}

function withoutRelease(version: string): string {
  return version.replace(/^\d*:/, '').replace(/-[^-]*$/, '');
}
