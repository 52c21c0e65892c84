import { DatabaseSync } from 'node:sqlite';
import { FactoryError } from '../domain/errors.ts';
import type { ImageFiles, PackageReader, ReadPackages } from '../domain/packages/reader.ts';
import {
  isDnfFile,
  isRpmDatabase,
  nativeRpmArchitecture,
  RPM_OTHERS,
  RPM_SQLITE,
  releaseVersion,
} from '../domain/packages/rpm-files.ts';
import { parseRpmHeader, type RpmHeader } from '../domain/packages/rpm-header.ts';
import { withLog } from './sqlite-log.ts';

/** What rpm and dnf leave in an image: the database is SQLite since rpm 4.16 (RHEL 9, Fedora 33). */
export const rpmReader: PackageReader = {
  manager: 'rpm',
  wanted: (path) => isRpmDatabase(path) || isDnfFile(path),
  read(files): ReadPackages | undefined {
    const path = RPM_SQLITE.find((each) => files.has(each));
    if (path === undefined) return refuseOthers(files);
    const headers = readHeaders(withLog(files.get(path)!, files.get(`${path}-wal`)), path);
    const installed = headers.map((header) => header.package).sort(byNameAndArchitecture);
    if (installed.length === 0) return undefined;
    const releasever = releaseVersion(headers);
    return {
      architecture: nativeRpmArchitecture(installed),
      ...(releasever === undefined ? {} : { releasever }),
      installed,
      files: Object.fromEntries([...files].filter(([each]) => isDnfFile(each))),
    };
  },
};

/** The table `Packages` has a header a row (rpm, lib/backend/sqlite.c). */
function readHeaders(bytes: Uint8Array, path: string): readonly RpmHeader[] {
  const database = new DatabaseSync(':memory:');
  try {
    database.deserialize(bytes);
    const rows = database.prepare('SELECT blob FROM Packages').all();
    return rows.flatMap(({ blob }) => parseRpmHeader(blob as Uint8Array) ?? []);
  } catch (cause) {
    throw unreadable(`${path} in the image is no whole database of rpm: ${(cause as Error).message}`, cause);
  } finally {
    database.close();
  }
}

/** Packages that cannot be read are not "no packages". */
function refuseOthers(files: ImageFiles): undefined {
  const path = RPM_OTHERS.find((each) => files.has(each));
  if (path === undefined) return undefined;
  throw unreadable(
    `${path} in the image is a database of rpm in an old format or that of SUSE; ingot reads rpmdb.sqlite, which "rpm --rebuilddb --define '_db_backend sqlite'" makes of it`,
  );
}

function unreadable(message: string, cause?: unknown): FactoryError<'usage'> {
  return new FactoryError(message, { code: 'usage', cause });
}

function byNameAndArchitecture(a: RpmHeader['package'], b: RpmHeader['package']): number {
  const [left, right] = [`${a.name} ${a.architecture}`, `${b.name} ${b.architecture}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
