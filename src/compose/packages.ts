import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Settings } from '../domain/fleet/model.ts';
import { compareApk } from '../domain/packages/apk-version.ts';
import { compareDebian } from '../domain/packages/deb-version.ts';
import { compareRpm } from '../domain/packages/rpm-version.ts';
import type { PackageDeps } from '../flows/package-facts.ts';
import type { SnapshotDeps } from '../flows/snapshot.ts';
import { createPackageStates } from '../image/package-states.ts';
import type { Http } from '../lib/http.ts';
import { createApkArchives } from '../packages/apk.ts';
import { createAptArchives } from '../packages/apt.ts';
import { createArchiveFetch } from '../packages/archive-fetch.ts';
import { createArchives, createListedArchives } from '../packages/by-manager.ts';
import { createListFolders } from '../packages/list-folders.ts';
import { createRpmArchives } from '../packages/rpm.ts';
import type { Registry } from '../registry/registry.ts';

export type Packages = Pick<PackageDeps, 'archives' | 'stateOf' | 'compareVersions'> & Pick<SnapshotDeps, 'lists'>;

/** What images have installed and what their archives offer; both are remembered below the data directory. */
export function createPackages(
  config: Config,
  { archives: mirrors }: Settings,
  { http, registry }: { readonly http: Http; readonly registry: Registry },
): Packages {
  const fetch = createArchiveFetch({ http, directory: join(config.dataDirectory, 'archives') });
  const states = createPackageStates({ registry, directory: join(config.dataDirectory, 'packages') });
  const readKeyring = (path: string) =>
    readFile(resolve(config.definitions ?? config.root, path)).catch(missingKeyring(path));
  const now = () => new Date();
  const options = { fetch, mirrors, readKeyring, now };
  const [apt, apk] = [createAptArchives(options), createApkArchives(options)];
  const listed = createListedArchives({ apt, apk });
  return {
    archives: createArchives({ apt, apk, rpm: createRpmArchives(options) }),
    lists: createListFolders({ archives: listed, directory: join(config.dataDirectory, 'lists'), now: Date.now }),
    stateOf: states.state,
    compareVersions: (manager, a, b) => VERSION_ORDERS[manager](a, b),
  };
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const VERSION_ORDERS = { apt: compareDebian, apk: compareApk, rpm: compareRpm, none: byText } as const;

function missingKeyring(path: string) {
  return (cause: unknown): never => {
    throw new FactoryError(`the keyring ${path} under "archives" in ingot.yaml cannot be read`, {
      code: 'configuration',
      cause,
    });
  };
}
