import { z } from 'zod';
import type { Reference } from '../domain/reference.ts';
import type { ImageConfig } from '../domain/verdict.ts';
import { type Call, type Descriptor, type Manifest, type Registry, RegistryError } from '../registry/registry.ts';

const Config = z.looseObject({
  created: z.string().optional(),
  os: z.string().optional(),
  architecture: z.string().optional(),
  variant: z.string().optional(),
  config: z.looseObject({}).default({}),
  history: z
    .array(z.looseObject({ created_by: z.string().optional(), empty_layer: z.boolean().optional() }))
    .default([]),
});
export async function readConfig(
  registry: Registry,
  reference: Reference,
  call: Call = {},
): Promise<{ config: ImageConfig; layers: readonly Descriptor[]; size: number }> {
  const stored = await registry.manifest(reference, call);
  if (stored === undefined)
    throw new RegistryError(`${reference.repository}@${reference.digest} is missing`, { code: 'missing-content' });
  const manifest = JSON.parse(Buffer.from(stored.bytes).toString('utf8')) as Manifest;
  const config = Config.parse(
    JSON.parse(Buffer.from(await registry.blob(reference, manifest.config!, call)).toString('utf8')),
  ) as unknown as ImageConfig;
  const layers = manifest.layers ?? [];
  return { config, layers, size: layers.reduce((sum, { size }) => sum + size, 0) };
}
