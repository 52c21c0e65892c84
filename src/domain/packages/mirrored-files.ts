import { type ArchiveMap, mirroredAddress } from './archive-address.ts';
import type { PackageState } from './state.ts';

/** Files that say where packages come from: those of apt, apk and dnf. */
const SOURCES = [
  /^\/etc\/apt\/sources\.list$/,
  /^\/etc\/apt\/sources\.list\.d\/[^/]+\.(?:list|sources)$/,
  /^\/(?:etc|lib|usr\/lib)\/apk\/repositories(?:\.d\/[^/]+\.list)?$/,
  /^\/etc\/(?:yum\.repos\.d|distro\.repos\.d)\/[^/]+\.repo$/,
];

const ADDRESS = /https?:\/\/[^\s"'<>,]+/g;

/**
 * The same files with the addresses of mirrors in them, for a build that takes its packages from there: only those that
 * name an archive that has a mirror. Everything else in them stays byte for byte.
 */
export function mirroredFiles(files: PackageState['files'], mirrors: ArchiveMap): Readonly<Record<string, string>> {
  if (Object.keys(mirrors).length === 0) return {};
  const changed = Object.entries(files).flatMap(([path, content]) => {
    if (!SOURCES.some((pattern) => pattern.test(path))) return [];
    const before = new TextDecoder().decode(content);
    const after = before.replace(/^(?!\s*[#;]).*$/gm, (line) =>
      line.replace(ADDRESS, (address) => mirroredAddress(address, mirrors) ?? address),
    );
    return after === before ? [] : [[path, after] as const];
  });
  return Object.fromEntries(changed);
}
