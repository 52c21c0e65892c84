import { z } from 'zod';
import { type Digest, digestOf, isDigest } from './digest.ts';

const DigestSchema = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));

const MarkerSchema = z.object({
  image: z.string(),
  version: z.string(),
  digest: DigestSchema,
  files: DigestSchema,
  closedByUs: z.boolean().optional(),
  leaves: z.string().optional(),
  since: z.string().optional(),
});

/** What ingot remembers in a pull request's body. A person may edit it: it is a hint, branch and commits decide. */
export interface PullRequestMarker {
  readonly image: string;
  readonly version: string;
  readonly digest: Digest;
  /** Of the paths and contents that the branch should have, see `digestOfFiles`. */
  readonly files: Digest;
  /** Set when ingot closed it: then nobody declined. */
  readonly closedByUs?: boolean | undefined;
  /** Set when it moves pins back: names what they leave, see `leavesKey`. */
  readonly leaves?: string | undefined;
  /** When it came to propose this release; RFC 3339. */
  readonly since?: string | undefined;
}

const MARKER = /<!-- ingot: (\{.*?\}) -->/;

/** An HTML comment; `-->` cannot stand in it, since `>` is escaped as JSON allows. */
export function renderMarker(marker: PullRequestMarker): string {
  return `<!-- ingot: ${JSON.stringify(marker).replaceAll('>', '\\u003e')} -->`;
}

/** `undefined` when there is none, or none that can be read. */
export function readMarker(body: string): PullRequestMarker | undefined {
  try {
    return MarkerSchema.parse(JSON.parse(MARKER.exec(body)?.[1] ?? ''));
  } catch {
    return undefined;
  }
}

/** The body of a pull request that ingot closes: says why on top, and notes that it was ingot. */
export function closedBody(body: string, why: string): string {
  const marker = readMarker(body);
  const rest = marker === undefined ? body : body.replace(MARKER, () => renderMarker({ ...marker, closedByUs: true }));
  return `**Closed by ingot:** ${why}.\n\n${rest}`;
}

/** One value for what a branch changes. */
export function digestOfFiles(files: readonly { readonly path: string; readonly content: Uint8Array }[]): Digest {
  const lines = files.map(({ path, content }) => `${path}\0${digestOf(content)}`);
  return digestOf(lines.sort().join('\n'));
}
