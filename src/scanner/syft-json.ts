import { z } from 'zod';
import type { Package } from '../domain/verdict.ts';
import { ScannerError } from './scanner.ts';

const text = z.string().nullish();

/** syft-json, schema 16: what we read of it. The fields of `metadata` depend on the kind of package. */
const Document = z.object({
  artifacts: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      type: z.string(),
      metadata: z
        .object({
          architecture: text,
          arch: text,
          source: text,
          sourceVersion: text,
          originPackage: text,
          sourceRpm: text,
        })
        .nullish()
        .catch(undefined), // other kinds have lists or other values under these names
    }),
  ),
});

type Artifact = z.infer<typeof Document>['artifacts'][number];

/**
 * Packages sorted by type, name and version, each once.
 * @throws ScannerError `protocol` when it is no syft-json
 */
export function packagesOf(native: Uint8Array): readonly Package[] {
  const packages = parse(Document, native).artifacts.map(toPackage);
  const byKey = new Map(
    packages.map((entry) => [[entry.type, entry.name, entry.version, entry.architecture].join('\0'), entry]),
  );
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

function toPackage(artifact: Artifact): Package {
  const { name, version, type, metadata } = artifact;
  const architecture = metadata?.architecture || metadata?.arch;
  return { name, version, type, ...(architecture ? { architecture } : {}), ...sourceOf(artifact) };
}

function sourceOf({ name, version, type, metadata }: Artifact): Pick<Package, 'source' | 'sourceVersion'> {
  const own = { source: name, sourceVersion: version };
  if (type === 'deb') return { source: metadata?.source || name, sourceVersion: metadata?.sourceVersion || version };
  if (type === 'apk') return { ...own, source: metadata?.originPackage || name };
  if (type === 'rpm') return sourceRpm(metadata?.sourceRpm ?? '') ?? own;
  return own;
}

/** `curl-7.76.1-26.el9.src.rpm` is curl, 7.76.1-26.el9. */
function sourceRpm(file: string): Pick<Package, 'source' | 'sourceVersion'> | undefined {
  const [, source, sourceVersion] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file) ?? [];
  return source === undefined || sourceVersion === undefined ? undefined : { source, sourceVersion };
}

const Source = z.object({ source: z.object({ metadata: z.object({ config: z.base64() }) }) });
const Config = z.object({ created: z.iso.datetime({ offset: true }) });

/** When the image was made, as its config says; the epoch when it does not. RFC 3339 in UTC, whole seconds. */
export function createdOf(native: Uint8Array): string {
  const { source } = parse(Source, native);
  const { data } = Config.safeParse(JSON.parse(Buffer.from(source.metadata.config, 'base64').toString('utf8')));
  return new Date(data?.created ?? 0).toISOString().replace(/\.\d+Z$/, 'Z');
}

function parse<T>(schema: z.ZodType<T>, native: Uint8Array): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(native).toString('utf8')));
  } catch (cause) {
    throw new ScannerError('this is not the JSON that syft writes', { code: 'protocol', cause });
  }
}
