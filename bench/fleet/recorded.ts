import type { Builder } from '../../src/builder/builder.ts';
import { digestOf, hexOf } from '../../src/domain/digest.ts';
import { type Platform, platformSlug } from '../../src/domain/platform.ts';
import { atDigest, type Reference } from '../../src/domain/reference.ts';
import type { Finding, Package } from '../../src/domain/verdict.ts';
import { type Descriptor, MEDIA_TYPES, type Registry } from '../../src/registry/registry.ts';
import type { Cataloguer, Scanner, ScanReport } from '../../src/scanner/scanner.ts';
import { tarOf } from '../../test/support/images.ts';

/** Counts what the recorded parts were asked for. */
export interface Tally {
  builds: number;
  catalogued: number;
  scans: number;
}

/** Pushes a tiny image that the request alone decides: the same request gives the same digest. */
export function createRecordedBuilder(
  registry: Registry,
  tally: Tally,
  packages: ReadonlyMap<Platform, Buffer>,
): Builder {
  return {
    name: 'recorded',
    platforms: async () => ['linux/amd64', 'linux/arm64', 'linux/arm/v7'],
    async build({ platform, pins, epoch, annotations, push, signal }) {
      tally.builds += 1;
      const seed = JSON.stringify([platform, Object.entries(pins), epoch, push.repository]);
      const call = { signal };
      const tars = [packages.get(platform)!, await tarOf({ 'opt/app': seed })];
      const layers = await Promise.all(tars.map((tar) => registry.putBlob(push, tar, { ...call, mediaType: LAYER })));
      const config = await registry.putBlob(push, configOf(platform, epoch, layers), {
        ...call,
        mediaType: MEDIA_TYPES.config,
      });
      const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPES.manifest, config, layers, annotations };
      const bytes = Buffer.from(JSON.stringify(manifest));
      const stored = await registry.putManifest(
        atDigest(push, digestOf(bytes)),
        { mediaType: MEDIA_TYPES.manifest, bytes },
        call,
      );
      return stored.digest;
    },
    command: async () => ({ exitCode: 0, setupFailed: false, stdout: '', stderr: '' }),
  };
}

const LAYER = 'application/vnd.oci.image.layer.v1.tar';

function configOf(platform: Platform, epoch: number, layers: readonly Descriptor[]): Buffer {
  const [os, architecture, variant] = platform.split('/');
  const created = new Date(epoch * 1000).toISOString();
  return Buffer.from(
    JSON.stringify({
      ...{ created, os, architecture, ...(variant && { variant }) },
      config: { User: '10001', Env: ['PATH=/usr/bin'] },
      rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
      history: layers.map(() => ({ created, created_by: 'recorded' })),
    }),
  );
}

/** Pushes what golden images are built from; another edition has another digest on every platform. */
export async function pushUpstream(
  registry: Registry,
  to: Reference,
  { edition, packages }: { edition: string; packages: ReadonlyMap<Platform, Buffer> },
): Promise<void> {
  const builder = createRecordedBuilder(registry, { builds: 0, catalogued: 0, scans: 0 }, packages);
  const { registry: host, repository } = to;
  const push = { registry: host, repository };
  const manifests = [];
  for (const platform of await builder.platforms()) {
    const pins = { [edition]: push };
    const request = { platform, pins, epoch: 1_760_000_000, push, context: '', dockerfile: '' };
    const digest = await builder.build(request);
    const head = await registry.head(atDigest(push, digest));
    const [os, architecture, variant] = platform.split('/');
    manifests.push({ ...head, platform: { os, architecture, ...(variant && { variant }) } });
  }
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.index, manifests }));
  await registry.putManifest(to, { mediaType: MEDIA_TYPES.index, bytes });
}

/** A Debian image has about so many packages, and each a list of its files in what syft writes. */
const PACKAGES = 100;
const FILES = 90;
const FINDINGS = 60;

const PACKAGE_LIST: readonly Package[] = Array.from({ length: PACKAGES }, (_, index) => ({
  name: `package-${index}`,
  version: `1.${index}-1+deb12u1`,
  type: 'deb',
  source: `source-${index}`,
  sourceVersion: `1.${index}-1+deb12u1`,
}));

/** Documents of some 2 MB, as syft writes them for a small Debian image; only the digest in them differs. */
export function createRecordedCataloguer(tally: Tally): Cataloguer {
  const native = templateOf((entry, index) => ({
    id: hexOf(digestOf(entry.name)).slice(0, 16),
    ...entry,
    metadata: filesOf(index),
  }));
  const spdx = templateOf((entry, index) => ({ SPDXID: `SPDXRef-${entry.name}`, ...entry, files: filesOf(index) }));
  return {
    name: 'recorded',
    async catalogue({ digest }, { platform }) {
      tally.catalogued += 1;
      const header = `{"image":"${digest}","platform":"${platformSlug(platform)}",`;
      const write = (rest: Buffer) => Buffer.concat([Buffer.from(header), rest]);
      return { native: write(native), spdx: write(spdx) };
    },
    packages(content) {
      JSON.parse(Buffer.from(content).toString('utf8')); // what reading such a document costs
      return PACKAGE_LIST;
    },
  };
}

function templateOf(toEntry: (entry: Package, index: number) => object): Buffer {
  return Buffer.from(`"artifacts":${JSON.stringify(PACKAGE_LIST.map(toEntry))}}`);
}

function filesOf(index: number) {
  const files = Array.from({ length: FILES }, (_, file) => {
    const path = `/usr/share/package-${index}/directory/of/files/file-${file}.so`;
    return { path, digest: { algorithm: 'sha256', value: hexOf(digestOf(path)) }, mode: 0o644, isConfigFile: false };
  });
  return { package: `package-${index}`, architecture: 'any', files, licenses: LICENCE };
}

const LICENCE =
  'Permission is hereby granted, free of charge, to any person obtaining a copy of this software. '.repeat(20);

/** Finds what no policy minds: without a fix. */
export function createRecordedScanner(tally: Tally): Scanner {
  const database = { id: 'recorded', built: '2026-11-01T00:00:00Z' };
  const report: ScanReport = {
    findings: Array.from({ length: FINDINGS }, (_, index) => findingOf(index)),
    database,
    scanner: { name: 'recorded', version: '1' },
  };
  return {
    name: 'recorded',
    database: async () => database,
    async scan() {
      tally.scans += 1;
      return report;
    },
  };
}

function findingOf(index: number): Finding {
  return {
    id: `CVE-2026-${1000 + index}`,
    severity: 'medium',
    source: `source-${index}`,
    packages: [`package-${index}`],
    installed: `1.${index}-1+deb12u1`,
    fix: { state: 'not-fixed', versions: [] },
    url: `https://security.example.org/CVE-2026-${1000 + index}`,
  };
}
