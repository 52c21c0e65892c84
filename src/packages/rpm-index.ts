import type { RpmListed } from '../domain/packages/rpm-updates.ts';
import { unpackIndex } from './apt-index.ts';
import { ArchiveError } from './archives.ts';
import { readXml } from './xml.ts';

/** Names and versions of one list of packages. */
export interface RpmIndex {
  readonly size: number;
  find(name: string): readonly RpmListed[];
}

/** The packages of `primary.xml`, as it is unpacked (createrepo_c, src/xml_dump_primary.c). */
export async function parsePrimary(packed: Uint8Array, path: string): Promise<RpmIndex> {
  const packages = createCollector();
  let current: Record<string, string> = {};
  await readXml(unpack(packed, path), path, {
    open(name, attributes) {
      if (name === 'package') current = {};
      else if (name === 'version') current.version = versionOf(attributes);
    },
    close(name, text) {
      if (name === 'name' || name === 'arch') current[name] ??= text;
      else if (name === 'package') packages.add(current.name, current.version, current.arch);
    },
  });
  return packages.index;
}

/** What the advisories of `updateinfo.xml` brought that say `type="security"`. */
export async function parseSecurity(packed: Uint8Array, path: string): Promise<RpmIndex> {
  const packages = createCollector();
  let security = false;
  await readXml(unpack(packed, path), path, {
    open(name, attributes) {
      if (name === 'update') security = attributes.type === 'security';
      else if (name === 'package' && security)
        packages.add(attributes.name, advisedVersion(attributes), attributes.arch);
    },
  });
  return packages.index;
}

function versionOf({ epoch, ver, rel }: Readonly<Record<string, string>>): string {
  return `${epoch || '0'}:${ver}-${rel}`;
}

function advisedVersion({ epoch, version, release }: Readonly<Record<string, string>>): string {
  return `${epoch || '0'}:${version}-${release}`;
}

function createCollector() {
  const found = new Map<string, string[]>();
  const index: RpmIndex = {
    get size() {
      return found.size;
    },
    find: (name) => (found.get(name) ?? []).map(toListed),
  };
  return {
    index,
    add(name = '', version = '', architecture = '') {
      if (name === '' || version === '' || architecture === 'src' || architecture === 'nosrc') return;
      const line = ownText(`${version} ${architecture}`);
      const lines = found.get(name);
      if (lines === undefined) found.set(ownText(name), [line]);
      else if (!lines.includes(line)) lines.push(line);
    },
  };
}

/** A piece cut out of a text keeps all of it in memory. */
function ownText(piece: string): string {
  return Buffer.from(piece).toString();
}

function toListed(line: string): RpmListed {
  const [version = '', architecture = ''] = line.split(' ');
  return { version, architecture };
}

function unpack(packed: Uint8Array, path: string): AsyncIterable<Uint8Array> {
  if (/\.xml(\.(gz|xz|zst))?$/.test(path)) return unpackIndex(packed, path);
  throw new ArchiveError(`${path} is packed in a way that ingot does not read; use gzip, xz or zstd`, {
    code: 'protocol',
  });
}
