import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';

export interface DemoFleet {
  /** The sample fleet's images/. */
  readonly images: string;
  /** Where the demo's ingot.yaml goes. */
  readonly folder: string;
  /** `host:port` of the embedded registry, which plays the upstream's as well. */
  readonly registry: string;
  /** Archive of a grype database. */
  readonly database: string;
  /** Path of the downstream repository. */
  readonly downstream: string;
}

/** The sample fleet as it is, with settings for a machine without a network of registries. */
export async function writeFleet({ images, folder, registry, database, downstream }: DemoFleet): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cp(images, join(folder, 'images'), { recursive: true });
  const settings = {
    fleet: 'acme',
    platforms: ['linux/amd64', 'linux/arm64'],
    upstreams: { 'docker.io/library': `${registry}/upstream/library` },
    channels: [{ name: 'stable' }],
    scan: { database },
    downstreams: [{ forge: 'local', path: downstream }],
  };
  await writeFile(join(folder, 'ingot.yaml'), stringify(settings));
}
