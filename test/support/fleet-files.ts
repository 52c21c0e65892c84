import { digestOf } from '../../src/domain/digest.ts';
import type { FleetFiles, ImageFiles } from '../../src/domain/fleet/files.ts';

/** Makes a fleet of texts by path: `{ 'ingot.yaml': …, 'images/a/image.yaml': … }`. */
export function fleetFiles(texts: Readonly<Record<string, string>>): FleetFiles {
  const packages = texts['images/packages.yaml'];
  const names = Object.keys(texts).flatMap((path) => /^images\/([^/]+)\//.exec(path)?.[1] ?? []);
  return {
    root: '/fleet',
    settings: { path: 'ingot.yaml', text: texts['ingot.yaml'] ?? 'fleet: acme\n' },
    ...(packages === undefined ? {} : { packages: { path: 'images/packages.yaml', text: packages } }),
    images: [...new Set(names)].sort().map((name) => imageFiles(name, texts)),
  };
}

function imageFiles(name: string, texts: Readonly<Record<string, string>>): ImageFiles {
  const path = `images/${name}`;
  const own = Object.entries(texts)
    .filter(([file]) => file.startsWith(`${path}/`))
    .map(([file, text]) => [file.slice(path.length + 1), text] as const);
  return {
    name,
    folder: `/fleet/${path}`,
    path,
    texts: Object.fromEntries(own.filter(([file]) => file === 'Dockerfile' || /^[^/]+\.ya?ml$/.test(file))),
    files: Object.fromEntries(
      own.map(([file, text]) => [file, { digest: digestOf(text), executable: file.endsWith('.sh') }]),
    ),
  };
}

/** Splits `-- path --` sections: several files in one (Go's txtar format). Text before the first one is a comment. */
export function sections(text: string): Record<string, string> {
  const parts = text.split(/^-- (\S+) --\n/m).slice(1);
  const pairs: [string, string][] = [];
  for (let index = 0; index < parts.length; index += 2) pairs.push([parts[index]!, parts[index + 1]!]);
  return Object.fromEntries(pairs);
}
