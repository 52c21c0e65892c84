import { z } from 'zod';

/** `os/architecture[/variant]` in its shortest form: `linux/amd64`, `linux/arm64`, `linux/arm/v7`. */
export type Platform = `${string}/${string}`;

/** A platform at an edge. */
export const zPlatform = z.custom<Platform>(
  (value) => typeof value === 'string' && /^[a-z0-9]+\/[a-z0-9]+(\/v\d+)?$/.test(value),
  'no platform',
);

/** What an OCI descriptor or image config says of its platform. */
export interface PlatformFields {
  readonly os?: string | undefined;
  readonly architecture?: string | undefined;
  readonly variant?: string | undefined;
}

/** Platforms that a builder can make, by emulation at least. */
export const KNOWN_PLATFORMS: readonly Platform[] = ['linux/amd64', 'linux/arm64'];

/** `arm64` and `arm64/v8` are the same platform (OCI image-index, variant table). */
export function platformOf(fields: PlatformFields): Platform {
  const { os = 'unknown', architecture = 'unknown', variant } = fields;
  const implied = architecture === 'arm64' && variant === 'v8';
  return variant && !implied ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/** `linux/arm64` as `linux-arm64`: fit for queue names and tags. */
export function platformSlug(platform: Platform): string {
  return platform.replaceAll('/', '-');
}

export function architectureOf(platform: Platform): string {
  return platform.split('/')[1] ?? platform;
}
