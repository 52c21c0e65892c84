import { z } from '@hono/zod-openapi';
import { NAME } from '../../domain/fleet/values.ts';
import { KNOWN_PLATFORMS } from '../../domain/platform.ts';

export const Time = z.string().openapi({ format: 'date-time', example: '2026-11-23T02:00:00.000Z' });
/** Times that others wrote: not always in the form that they should have. */
export const ForeignTime = z.string().openapi({ example: '2026-11-20T00:00:00Z' });
export const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .openapi({ example: `sha256:${'0123456789abcdef'.repeat(4)}` });
export const Platform = z.string().openapi({ example: 'linux/arm64' });
export const PlatformDigests = z.record(z.string(), Digest);

/** What an image is called in a request. */
export const ImageName = z.string().max(128).regex(NAME).openapi({ example: 'python' });
export const RunId = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/)
  .openapi({ description: 'a ULID', example: '01KB0000000000000000000000' });
/** For people; kept and shown. */
export const ReasonText = z
  .string()
  .min(1)
  .max(1000)
  // It is printed on terminals and kept in registries: nothing there may take it for a command
  .transform((text) => text.replace(/\p{Cc}+/gu, ' '))
  .openapi({ type: 'string', minLength: 1, maxLength: 1000, example: 'a fix that cannot wait' });
export const KnownPlatform = z.enum([...KNOWN_PLATFORMS] as [string, ...string[]]);

export const ImageParams = z.object({
  image: ImageName.openapi({ param: { name: 'image', in: 'path' }, description: 'name of a golden image' }),
});
export const RunParams = z.object({
  run: RunId.openapi({ param: { name: 'run', in: 'path' }, description: 'id of a run' }),
});

export const Paging = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(200)
    .optional()
    .openapi({ param: { name: 'limit', in: 'query' }, description: 'how many, 1 to 200; default 50' }),
  cursor: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[\w.:-]+$/)
    .optional()
    .openapi({ param: { name: 'cursor', in: 'query' }, description: '`next` of the page before' }),
});

/** What is decided by a change without further facts. */
export const MaybeBecause = z.strictObject({ reason: ReasonText.optional() }).openapi('MaybeBecause');

export const NextCursor = z.string().optional().openapi({ description: 'absent on the last page' });

export function listOf<T extends z.ZodType>(items: T, name: string) {
  return z.object({ items: z.array(items) }).openapi(name);
}
export function pageOf<T extends z.ZodType>(items: T, name: string) {
  return z.object({ items: z.array(items), next: NextCursor }).openapi(name);
}
