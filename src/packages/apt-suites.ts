import { type Digest, digestOf } from '../domain/digest.ts';
import { type DebRelease, parseDebRelease } from '../domain/packages/deb-release.ts';
import { safeUrl } from '../lib/http.ts';
import { type AptIndex, INDEX_ENDINGS, parseAptIndex } from './apt-index.ts';
import { type Keyring, type SignedText, verifiedText } from './apt-signature.ts';
import type { ArchiveFetch } from './archive-fetch.ts';
import { ArchiveError } from './archives.ts';

/** A suite as its archive has it now, its Release file verified. */
export interface AptSuite {
  readonly release: DebRelease;
  /** Of the verified file: equal digests mean equal content of every index. */
  readonly digest: Digest;
  /** The Release file as it came, for apt's own lists. */
  readonly signed: SignedText;
  /** `main/binary-amd64/Packages`; `undefined`: this suite has none. Each is fetched, verified and parsed once. */
  index(path: string): Promise<AptIndex> | undefined;
  /** The same as bytes, still packed, with the path that says how. */
  packed(path: string): Promise<{ readonly path: string; readonly bytes: Uint8Array }> | undefined;
}

export interface AptSuites {
  /**
   * @param address of the folder with the Release file, with a slash at its end
   * @throws ArchiveError `untrusted` when nobody of the keyring signed it or it is out of date, `unavailable`
   */
  load(address: string, trust: Trust): Promise<AptSuite>;
}

export interface Trust extends Keyring {
  /** Over the keyring: suites that are trusted by the same keys are verified once. */
  readonly digest: Digest;
  readonly checkValidUntil: boolean;
}

export interface AptSuitesOptions {
  readonly fetch: ArchiveFetch;
  readonly now: () => Date;
  /** For how long a Release file is not asked for again. */
  readonly freshForMs: number;
}

interface Entry {
  readonly askedAt: number;
  readonly signed: Promise<SignedText>;
  readonly verified: Map<Digest, Promise<AptSuite>>;
}

/** What is not asked for in as long is not kept in memory. */
const IDLE_MS = 3_600_000;

/** Suites by address: asked for once in a while however many images need them, parsed once per content. */
export function createAptSuites({ fetch, now, freshForMs }: AptSuitesOptions): AptSuites {
  const entries = new Map<string, Entry>();
  const indexes = new Map<Digest, { usedAt: number; readonly index: Promise<AptIndex> }>();
  const indexOf = (digest: Digest, load: () => Promise<AptIndex>) => {
    const known = indexes.get(digest) ?? { usedAt: 0, index: load() };
    known.usedAt = now().getTime();
    indexes.set(digest, known);
    known.index.catch(() => indexes.delete(digest));
    return known.index;
  };
  const entryOf = (address: string): Entry => {
    const time = now().getTime();
    const known = entries.get(address);
    if (known !== undefined && time - known.askedAt < freshForMs) return known;
    for (const [digest, { usedAt }] of indexes) if (time - usedAt > IDLE_MS) indexes.delete(digest);
    for (const [other, { askedAt }] of entries) if (time - askedAt > IDLE_MS) entries.delete(other);
    const entry = { askedAt: time, signed: fetchSigned(fetch, address), verified: new Map() };
    entries.set(address, entry);
    // What failed is asked for again by the next who needs it.
    entry.signed.catch(() => entries.get(address) === entry && entries.delete(address));
    return entry;
  };
  return {
    async load(address, trust) {
      const entry = entryOf(address);
      const verified =
        entry.verified.get(trust.digest) ??
        entry.signed.then((signed) => openSuite(address, signed, trust, { fetch, now, indexOf }));
      entry.verified.set(trust.digest, verified);
      const suite = await verified;
      if (trust.checkValidUntil) checkDate(address, suite.release, now());
      return suite;
    },
  };
}

async function fetchSigned(fetch: ArchiveFetch, address: string): Promise<SignedText> {
  const inRelease = await fetch.document(`${address}InRelease`);
  if (inRelease !== undefined) return { kind: 'clearsigned', text: inRelease };
  const [text, signature] = await Promise.all([
    fetch.document(`${address}Release`),
    fetch.document(`${address}Release.gpg`),
  ]);
  const what = safeUrl(new URL(address));
  if (text === undefined) {
    throw new ArchiveError(`${what} has no Release file; the suite or the address in the image's sources is wrong`, {
      code: 'unavailable',
    });
  }
  if (signature !== undefined) return { kind: 'detached', text, signature };
  throw new ArchiveError(
    `${what} is not signed: it has neither InRelease nor Release.gpg; ingot reads signed archives only`,
    {
      code: 'untrusted',
    },
  );
}

interface OpenParts extends Pick<AptSuitesOptions, 'fetch' | 'now'> {
  readonly indexOf: (digest: Digest, load: () => Promise<AptIndex>) => Promise<AptIndex>;
}

async function openSuite(
  address: string,
  signed: SignedText,
  trust: Trust,
  { fetch, now, indexOf }: OpenParts,
): Promise<AptSuite> {
  const what = `${safeUrl(new URL(address))}${signed.kind === 'clearsigned' ? 'InRelease' : 'Release'}`;
  const text = await verifiedText(signed, trust, { what, now: now() });
  const release = parseDebRelease(text);
  if (release === undefined) {
    throw new ArchiveError(`${what} lists no SHA256 digests; ingot reads no archive without them`, {
      code: 'protocol',
    });
  }
  const packed = (path: string) => {
    const variants = INDEX_ENDINGS.map((ending) => `${path}${ending}`).filter((each) => release.files.has(each));
    return variants.length === 0 ? undefined : fetchFirst(variants, { address, release, fetch });
  };
  return {
    release,
    digest: digestOf(text),
    signed,
    packed,
    index(path) {
      const variant = INDEX_ENDINGS.map((ending) => `${path}${ending}`).find((each) => release.files.has(each));
      if (variant === undefined) return undefined;
      return indexOf(release.files.get(variant)!.digest, async () => {
        const found = await packed(path)!;
        return parseAptIndex(found.bytes, found.path);
      });
    },
  };
}

/** Archives list indexes that they do not have: the plain one, mostly. */
async function fetchFirst(
  [path, ...others]: readonly string[],
  { address, release, fetch }: { address: string; release: DebRelease; fetch: ArchiveFetch },
): Promise<{ path: string; bytes: Uint8Array }> {
  const expected = release.files.get(path!)!;
  const byHash = `${address}${path!.slice(0, path!.lastIndexOf('/') + 1)}by-hash/SHA256/${expected.digest.slice(7)}`;
  const addresses = [...(release.byHash ? [byHash] : []), `${address}${path}`];
  try {
    return { path: path!, bytes: await fetch.content(addresses, expected) };
  } catch (error) {
    const absent = error instanceof ArchiveError && error.details.absent === true;
    if (!absent || others.length === 0) throw error;
    return fetchFirst(others, { address, release, fetch });
  }
}

/** Who repeats an old list hides what is new (apt-secure(8), Valid-Until). */
function checkDate(address: string, { validUntil }: DebRelease, now: Date): void {
  if (validUntil === undefined || validUntil >= now.getTime()) return;
  throw new ArchiveError(
    `${safeUrl(new URL(address))} was valid until ${new Date(validUntil).toISOString()} and is not renewed: its mirror is stale, or somebody holds back what is new`,
    { code: 'untrusted', retryable: true },
  );
}
