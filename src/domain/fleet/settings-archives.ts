import { z } from 'zod';
import type { ArchiveMap, ArchiveMirror } from '../packages/archive-address.ts';

const Key = z
  .string()
  .regex(
    /^[a-zA-Z0-9.-]+(?::\d+)?(?:\/[^\s/?#@]+)*\/?$/,
    'must be a host and a path as sources name them, without scheme; write it as in deb.example.org/debian',
  );

const Url = z
  .string()
  .regex(
    /^https?:\/\/[^\s/?#@]+(?:\/[^\s/?#]+)*\/?$/,
    'must be an http(s) address without user and password; write it as in https://mirror.acme.example/debian',
  );

const Mirror = z.union([Url, z.strictObject({ url: Url, keyring: z.string().min(1, 'is empty').optional() })], {
  error: 'must be an address, or { url: …, keyring: file } for a mirror that signs its own indexes',
});

/** Mirrors of package archives, by host and path of the archive. */
export const Archives = z.record(Key, Mirror).transform((archives): ArchiveMap => {
  const entries = Object.entries(archives).map(([key, mirror]) => [key, toMirror(mirror)]);
  return Object.fromEntries(entries);
});

function toMirror(mirror: z.infer<typeof Mirror>): ArchiveMirror {
  if (typeof mirror === 'string') return { url: mirror };
  return { url: mirror.url, ...(mirror.keyring === undefined ? {} : { keyring: mirror.keyring }) };
}
