import { parseDeb822, type Stanza } from './deb822.ts';
import type { InstalledPackage } from './state.ts';

/** Of these nothing is unpacked any more, or not yet (dpkg(1), Package states). */
const NOT_THERE = ['not-installed', 'config-files'];

/**
 * The packages that dpkg's status file says are there, sorted by name. Stanzas without a status, as images without dpkg
 * have them in status.d, are of installed packages.
 */
export function parseDpkgStatus(text: string): readonly InstalledPackage[] {
  const installed = parseDeb822(text).flatMap((stanza) => toPackage(stanza) ?? []);
  return installed.sort((a, b) => compare(a.name, b.name) || compare(a.architecture, b.architecture));
}

function toPackage(stanza: Stanza): InstalledPackage | undefined {
  const [want = 'install', , state = 'installed'] = (stanza.get('status') ?? '').split(/\s+/).filter(Boolean);
  const name = stanza.get('package');
  const version = stanza.get('version');
  if (name === undefined || version === undefined || NOT_THERE.includes(state)) return undefined;
  const { source, sourceVersion } = parseSource(stanza.get('source'), name, version);
  const architecture = stanza.get('architecture') ?? 'all';
  return { name, version, architecture, source, sourceVersion, ...(want === 'hold' ? { held: true } : {}) };
}

/** `Source: glibc (2.36-9)`; absent when both are as the package's own (deb-control(5)). */
export function parseSource(field: string | undefined, name: string, version: string) {
  const [, source = name, sourceVersion = version] = /^(\S+)(?:\s+\((\S+)\))?/.exec(field ?? '') ?? [];
  return { source, sourceVersion };
}

/** The architecture of dpkg itself, else the one that most packages have. */
export function nativeArchitecture(installed: readonly InstalledPackage[]): string {
  const own = installed.filter(({ architecture }) => architecture !== 'all');
  const dpkg = own.find(({ name }) => name === 'dpkg');
  if (dpkg !== undefined) return dpkg.architecture;
  const counts = Map.groupBy(own, ({ architecture }) => architecture);
  const [most] = [...counts].sort(([, a], [, b]) => b.length - a.length);
  return most?.[0] ?? 'all';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
