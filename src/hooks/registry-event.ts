import { z } from 'zod';
import type { ImageHint } from '../domain/hooks.ts';
import type { HookRequest } from './hooks.ts';

/** One event of a distribution registry, which Azure's has taken over. */
export const RegistryEvent = z.object({
  action: z.string(),
  target: z.object({
    mediaType: z.string().nullish(),
    digest: z.string().nullish(),
    repository: z.string().nullish(),
    tag: z.string().nullish(),
  }),
  request: z.object({ host: z.string().nullish() }).nullish(),
});
export type RegistryEvent = z.infer<typeof RegistryEvent>;

const MANIFEST = /manifest|image\.index/;

/** Layers, pulls and deletes are no news. */
export function hintOf({ action, target, request }: RegistryEvent, { registry }: HookRequest): readonly ImageHint[] {
  const host = registry ?? request?.host;
  const { repository, tag, digest, mediaType } = target;
  if (action !== 'push' || !host || !repository) return [];
  if (mediaType && !MANIFEST.test(mediaType)) return [];
  return [{ repository: `${host}/${repository}`, tags: tag ? [tag] : [], ...(digest && { mark: digest }) }];
}
