import { z } from 'zod';
import { type Digest, isDigest } from '../domain/digest.ts';

const DigestSchema = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));

const DescriptorSchema = z.object({
  mediaType: z.string(),
  digest: DigestSchema,
  size: z.number().int().nonnegative(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/** The fields of a manifest that signatures are found by; whoever can push may have written it. */
const ManifestSchema = z.object({
  layers: z.array(z.looseObject(DescriptorSchema.shape)).max(1000),
  subject: DescriptorSchema.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

export type SignatureManifest = z.infer<typeof ManifestSchema>;

/** `undefined` when the bytes are no image manifest. */
export function parseManifest(bytes: Uint8Array): SignatureManifest | undefined {
  try {
    return ManifestSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
