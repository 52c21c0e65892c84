import { z } from 'zod';
import { zDigest } from '../domain/digest.ts';
import { type Descriptor, type Manifest, RegistryError } from './registry.ts';

const Annotations = z.record(z.string(), z.string());

const PlatformSchema = z.object({
  os: z.string().optional(),
  architecture: z.string().optional(),
  variant: z.string().optional(),
});

/** Keys that we do not know are kept: a descriptor may be written again, into another index. */
const DescriptorSchema = z.looseObject({
  mediaType: z.string(),
  digest: zDigest,
  size: z.number().int().nonnegative(),
  platform: PlatformSchema.loose().optional(),
  artifactType: z.string().optional(),
  annotations: Annotations.nullish().transform((value) => value ?? undefined),
});

const ManifestSchema = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  config: DescriptorSchema.optional(),
  layers: z.array(DescriptorSchema).nullish(),
  manifests: z.array(DescriptorSchema).nullish(),
  subject: DescriptorSchema.optional(),
  annotations: Annotations.nullish(),
});

/**
 * Reads the bytes of an image manifest or index.
 * @param what the reference, for the message
 * @throws RegistryError `protocol` when they are something else
 */
export function parseManifest(bytes: Uint8Array, what: string): Manifest {
  const parsed = ManifestSchema.safeParse(parseJson(bytes, what));
  if (!parsed.success) {
    throw new RegistryError(`${what} is no OCI or Docker v2 manifest or index; push the image again in such a format`, {
      code: 'protocol',
      cause: parsed.error,
    });
  }
  const { layers, manifests, annotations, ...rest } = parsed.data;
  return {
    ...rest,
    ...(layers && { layers: layers as Descriptor[] }),
    ...(manifests && { manifests: manifests as Descriptor[] }),
    ...(annotations && { annotations }),
  };
}

/** @throws RegistryError `protocol` */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new RegistryError(`${what}: the registry answered something that is not JSON`, { code: 'protocol', cause });
  }
}
