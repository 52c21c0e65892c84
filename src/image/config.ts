import { z } from 'zod';
import { formatReference, type Reference } from '../domain/reference.ts';
import type { ImageConfig } from '../domain/verdict.ts';
import { parseJson, parseManifest } from '../registry/manifest.ts';
import { type Call, type Descriptor, isIndex, type Registry, RegistryError } from '../registry/registry.ts';

/** Docker writes `null` for what is not set. */
function unset<T extends z.ZodType>(type: T) {
  return type.nullish().transform((value) => value ?? undefined);
}

const Strings = unset(z.array(z.string()));
const Names = unset(z.record(z.string(), z.unknown()));

const Execution = z.object({
  User: unset(z.string()),
  Env: Strings,
  Entrypoint: Strings,
  Cmd: Strings,
  WorkingDir: unset(z.string()),
  Labels: unset(z.record(z.string(), z.string())),
  ExposedPorts: Names,
  Volumes: Names,
});

const HistoryEntry = z.object({ created_by: unset(z.string()), empty_layer: unset(z.boolean()) });

/** OCI image-spec v1.1 config.md. */
const ConfigSchema = z.object({
  created: unset(z.string()),
  os: unset(z.string()),
  architecture: unset(z.string()),
  variant: unset(z.string()),
  config: z
    .unknown()
    .transform((value) => value ?? {})
    .pipe(Execution),
  history: z
    .array(HistoryEntry)
    .nullish()
    .transform((value) => value ?? []),
});

export interface PlatformImage {
  readonly config: ImageConfig;
  readonly layers: readonly Descriptor[];
  /** Compressed bytes of all layers. */
  readonly size: number;
}

/** One platform image as it is stored: its config, read by a schema, and its layers. */
export interface StoredImage<T> {
  readonly config: T;
  readonly layers: readonly Descriptor[];
}

/**
 * Reads config and layers of one platform.
 * @param reference of a platform's manifest, not of an index
 * @throws RegistryError `missing-content` when it is not there, `protocol` when it is no image of one platform
 */
export async function readConfig(registry: Registry, reference: Reference, call: Call = {}): Promise<PlatformImage> {
  const stored = await readImage(registry, reference, ConfigSchema, call);
  return { ...stored, size: stored.layers.reduce((sum, { size }) => sum + size, 0) };
}

/** The same by a schema of one's own. Errors: see `readConfig`. */
export async function readImage<T>(
  registry: Registry,
  reference: Reference,
  schema: z.ZodType<T>,
  call: Call = {},
): Promise<StoredImage<T>> {
  const what = formatReference(reference);
  const stored = await registry.manifest(reference, call);
  if (stored === undefined) {
    throw new RegistryError(`${what} is not there; push or copy the whole image again`, { code: 'missing-content' });
  }
  const { config, layers = [] } = parseManifest(stored.bytes, what);
  if (config === undefined || isIndex(stored.descriptor.mediaType)) {
    throw new RegistryError(`${what} is no image of one platform; name one platform's digest`, { code: 'protocol' });
  }
  const parsed = schema.safeParse(parseJson(await registry.blob(reference, config, call), what));
  if (parsed.success) return { config: parsed.data, layers };
  const message = `${what} has a config that is no image config; push the image again`;
  throw new RegistryError(message, { code: 'protocol', cause: parsed.error });
}
