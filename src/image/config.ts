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

/**
 * Reads config and layers of one platform.
 * @param reference of a platform's manifest, not of an index
 * @throws RegistryError `missing-content` when it is not there, `protocol` when it is no image of one platform
 */
export async function readConfig(registry: Registry, reference: Reference, call: Call = {}): Promise<PlatformImage> {
  const what = formatReference(reference);
  const stored = await registry.manifest(reference, call);
  if (stored === undefined) {
    throw new RegistryError(`${what} is not there; push or copy the whole image again`, { code: 'missing-content' });
  }
  const { config, layers = [] } = parseManifest(stored.bytes, what);
  if (config === undefined || isIndex(stored.descriptor.mediaType)) {
    throw new RegistryError(`${what} is no image of one platform; name one platform's digest`, { code: 'protocol' });
  }
  const parsed = parseConfig(await registry.blob(reference, config, call), what);
  return { config: parsed, layers, size: layers.reduce((sum, { size }) => sum + size, 0) };
}

function parseConfig(bytes: Uint8Array, what: string): ImageConfig {
  const parsed = ConfigSchema.safeParse(parseJson(bytes, what));
  if (parsed.success) return parsed.data;
  throw new RegistryError(`${what} has a config that is no image config; push the image again`, {
    code: 'protocol',
    cause: parsed.error,
  });
}
