import { z } from 'zod';
import { digestOf, hexOf } from '../domain/digest.ts';
import type { Reference } from '../domain/reference.ts';
import { ScannerError } from './scanner.ts';

/** SPDX 2.3, the parts that are random, or stand in no order. */
const Document = z.looseObject({
  documentNamespace: z.string(),
  creationInfo: z.looseObject({ created: z.string(), creators: z.array(z.string()) }),
  packages: z.array(z.looseObject({ SPDXID: z.string() })).optional(),
  files: z.array(z.looseObject({ SPDXID: z.string() })).optional(),
  relationships: z
    .array(z.looseObject({ spdxElementId: z.string(), relatedSpdxElement: z.string(), relationshipType: z.string() }))
    .optional(),
});

const UUID = /-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * One image, one document: the random id in the namespace comes from the digest and the tool, `created` is the image's
 * own (SPDX 2.3, 6.5 and 6.9), and lists are sorted.
 */
export function reproducibleSpdx(
  spdx: Uint8Array,
  { reference, created }: { reference: Reference; created: string },
): Uint8Array {
  const { data: document } = Document.safeParse(JSON.parse(Buffer.from(spdx).toString('utf8')));
  if (document === undefined) throw new ScannerError('this is not SPDX JSON', { code: 'protocol' });
  const { documentNamespace, creationInfo, packages = [], files = [], relationships = [] } = document;
  const id = uuidOf([reference.digest, ...creationInfo.creators].join('\n'));
  const reproducible = {
    ...document,
    documentNamespace: `${documentNamespace.replace(UUID, '')}-${id}`,
    creationInfo: { ...creationInfo, created },
    packages: sorted(packages, ({ SPDXID }) => SPDXID),
    files: sorted(files, ({ SPDXID }) => SPDXID),
    relationships: sorted(relationships, (it) =>
      [it.spdxElementId, it.relationshipType, it.relatedSpdxElement].join('\0'),
    ),
  };
  return Buffer.from(JSON.stringify(reproducible));
}

/** A UUID that text decides (RFC 9562, version 8). */
function uuidOf(text: string): string {
  const hex = hexOf(digestOf(text));
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function sorted<T>(entries: readonly T[], key: (entry: T) => string): T[] {
  return entries
    .map((entry) => [key(entry), entry] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, entry]) => entry);
}
