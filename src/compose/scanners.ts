import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import type { Settings } from '../domain/fleet/model.ts';
import { createGrype } from '../scanner/grype.ts';
import { createRememberingScanner } from '../scanner/remembering.ts';
import type { Cataloguer, Scanner } from '../scanner/scanner.ts';
import { createSyft } from '../scanner/syft.ts';

export function createScanners(
  config: Config,
  { scan }: Pick<Settings, 'scan'>,
): { cataloguer: Cataloguer; scanner: Scanner } {
  const cataloguer = createSyft({ syft: config.tool('syft'), dockerConfig: config.dockerConfig });
  const database = scan.database === undefined ? {} : { database: resolveSource(config.root, scan.database) };
  const databaseDirectory = join(config.dataDirectory, 'vulnerabilities');
  const grype = createGrype({ grype: config.tool('grype'), databaseDirectory, ...database });
  return { cataloguer, scanner: createRememberingScanner(grype) };
}

/** A path relative to ingot.yaml, or a URL as it is. */
function resolveSource(root: string, source: string): string {
  return /^https?:\/\//.test(source) ? source : resolve(root, source);
}
