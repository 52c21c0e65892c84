import { createReadStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { installedTool } from '../../src/lib/tool.ts';
import { advisoriesFromChangelogs, buildDatabase, type UpdatedPackage } from './advisories.ts';
import { readMirrors } from './apt-sources.ts';
import { type BaseEdition, makeBase, SUITE } from './base.ts';

/** Every package of the sample fleet, so that their changelogs are there to read. */
const INCLUDE = ['ca-certificates', 'tzdata', 'python3-minimal'];
const OLD = { name: 'fleet-old', epoch: 0, suites: ['main'], include: INCLUDE } as const satisfies BaseEdition;
const NEW = {
  name: 'fleet-new',
  epoch: 0,
  suites: ['main', 'updates', 'security'],
  include: INCLUDE,
} as const satisfies BaseEdition;

/**
 * A real grype database of what the distribution itself says: the CVE ids in the changelogs of the packages that the
 * security suite has newer. Returns the path of its archive; made once.
 */
export async function makeDatabase(cache: string): Promise<string> {
  const note = join(cache, 'vulnerabilities.path');
  const known = await readFile(note, 'utf8').catch(() => undefined);
  if (known !== undefined) return known;
  const mirrors = await readMirrors(SUITE);
  const [before, after] = [
    await makeBase(OLD, 'amd64', { mirrors, cache }),
    await makeBase(NEW, 'amd64', { mirrors, cache }),
  ];
  const updated = updatedPackages(await readRoot(before), await readRoot(after));
  const folder = join(cache, 'vulnerabilities');
  await mkdir(folder, { recursive: true });
  const advdb = installedTool('advdb');
  const archive = await buildDatabase(advisoriesFromChangelogs(updated, 'debian:12'), folder, { advdb });
  await writeFile(note, archive);
  return archive;
}

interface Root {
  /** Text of dpkg's status. */
  readonly status: string;
  /** Binary package to its Debian changelog. */
  readonly changelogs: ReadonlyMap<string, string>;
}

async function readRoot(tar: string): Promise<Root> {
  let status = '';
  const changelogs = new Map<string, string>();
  const entries = extract();
  createReadStream(tar).pipe(entries);
  for await (const entry of entries) {
    const path = entry.header.name.replace(/^\.\//, '');
    const [, changelog, kind] = /^usr\/share\/doc\/([^/]+)\/changelog(\.Debian)?\.gz$/.exec(path) ?? [];
    if (path !== 'var/lib/dpkg/status' && changelog === undefined) entry.resume();
    else if (entry.header.type !== 'file') entry.resume();
    else {
      const content = Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Buffer>));
      if (changelog === undefined) status = content.toString('utf8');
      // `changelog.gz` is Debian's only where there is no other: else it is upstream's (Debian policy 12.7).
      else if (kind !== undefined || !changelogs.has(changelog))
        changelogs.set(changelog, gunzipSync(content).toString('utf8'));
    }
  }
  return { status, changelogs };
}

interface Installed {
  readonly name: string;
  readonly source: string;
  readonly sourceVersion: string;
}

function updatedPackages(before: Root, after: Root): UpdatedPackage[] {
  const old = new Map(installedOf(before.status).map((each) => [each.source, each.sourceVersion]));
  const updated = new Map<string, UpdatedPackage>();
  for (const { name, source, sourceVersion } of installedOf(after.status)) {
    const installedVersion = old.get(source);
    const changelogText = after.changelogs.get(name);
    if (installedVersion === undefined || installedVersion === sourceVersion || changelogText === undefined) continue;
    updated.set(source, { source, installedVersion, changelogText });
  }
  return [...updated.values()];
}

/** dpkg's status file: `Source:` names the source package, and its version where that differs (deb-control(5)). */
function installedOf(status: string): Installed[] {
  return status.split('\n\n').flatMap((stanza) => {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1];
    const [name, version] = [field('Package'), field('Version')];
    if (name === undefined || version === undefined) return [];
    const [, source = name, sourceVersion = version] = /^(\S+)(?: \((.+)\))?$/.exec(field('Source') ?? name) ?? [];
    return [{ name, source, sourceVersion }];
  });
}
