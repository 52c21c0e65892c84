import type { InstalledPackage } from './state.ts';

/**
 * The packages of apk's installed database, sorted by name: stanzas of lines `<letter>:<value>`, P name, V version,
 * A architecture, o origin (apk-tools, src/package.c and apk-v2(5)). Lines of files come after, and are read over.
 */
export function parseApkInstalled(text: string): readonly InstalledPackage[] {
  return text
    .split('\n\n')
    .flatMap((stanza) => toPackage(stanza) ?? [])
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function toPackage(stanza: string): InstalledPackage | undefined {
  const fields = new Map<string, string>();
  for (const line of stanza.split('\n')) {
    // From the first folder on there are files, whose letters mean other things.
    if (line.startsWith('F:')) break;
    if (line[1] === ':') fields.set(line[0]!, line.slice(2));
  }
  const name = fields.get('P');
  const version = fields.get('V');
  if (name === undefined || version === undefined) return undefined;
  const source = fields.get('o') || name;
  return { name, version, architecture: fields.get('A') ?? 'noarch', source, sourceVersion: version };
}

/** The architecture that most packages have. */
export function nativeApkArchitecture(installed: readonly InstalledPackage[]): string {
  const own = installed.filter(({ architecture }) => architecture !== 'noarch');
  const counts = Map.groupBy(own, ({ architecture }) => architecture);
  const [most] = [...counts].sort(([, a], [, b]) => b.length - a.length);
  return most?.[0] ?? 'noarch';
}
