import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { Readable } from 'node:stream';
import { gunzipSync, inflateRawSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { ArchiveError } from './archives.ts';

/** Public keys by the file names that signatures give; keys of a mirror go by any name. */
export interface ApkTrust {
  readonly keys: ReadonlyMap<string, Uint8Array>;
  readonly anyName: readonly Uint8Array[];
}

/** What `.SIGN.<type>.<name of the key>` says of the digest (apk-tools 3.0, src/extract_v2.c). */
const DIGESTS: Readonly<Record<string, string>> = { RSA: 'sha1', RSA256: 'sha256', RSA512: 'sha512' };

/**
 * The signed part of a package index: the file is two packed tars one after the other, the first of which has the
 * signatures over the packed bytes of the second.
 * @throws ArchiveError `untrusted` when no trusted key signed exactly these bytes
 */
export async function verifiedApkIndex(file: Uint8Array, trust: ApkTrust, what: string): Promise<Uint8Array> {
  const length = firstMember(file, what);
  const signed = file.subarray(length);
  const signatures = await readSignatures(file.subarray(0, length), what);
  if (signatures.length === 0 || signed.length === 0) {
    throw untrusted(what, 'it is not signed; ingot reads signed archives only');
  }
  for (const { type, name, bytes } of signatures) {
    const digest = DIGESTS[type];
    const own = publicKey(trust.keys.get(name));
    const keys = [own, ...trust.anyName.map(publicKey)].filter((key) => key !== undefined);
    if (digest === undefined || keys.length === 0) continue;
    if (!keys.some((key) => verify(digest, signed, key, bytes))) {
      if (own === undefined) continue;
      throw untrusted(what, `the signature by ${name} does not fit its content: it was changed on its way`);
    }
    // A third part would be read by apk, and be signed by nobody.
    if (firstMember(signed, what) !== signed.length) throw untrusted(what, 'it has more parts than the signed one');
    return signed;
  }
  const names = signatures.map(({ name }) => name).join(', ');
  throw untrusted(
    what,
    `it is signed with ${names}, which is not among the keys of the image in /etc/apk/keys; update them, or name the key under "archives" in ingot.yaml`,
  );
}

function publicKey(pem: Uint8Array | undefined): KeyObject | undefined {
  if (pem === undefined) return undefined;
  try {
    const key = createPublicKey(Buffer.from(pem));
    return key.asymmetricKeyType === 'rsa' ? key : undefined;
  } catch {
    return undefined;
  }
}

interface Signature {
  readonly type: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

async function readSignatures(member: Uint8Array, what: string): Promise<readonly Signature[]> {
  const entries = extract();
  const found: Signature[] = [];
  try {
    Readable.from([gunzipSync(member, { maxOutputLength: 1024 * 1024 })]).pipe(entries);
    for await (const entry of entries) {
      const [, type, name] = /^\.SIGN\.([A-Z0-9]+)\.(.+)$/.exec(entry.header.name) ?? [];
      const bytes = Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Buffer>));
      if (type !== undefined && name !== undefined) found.push({ type, name, bytes });
    }
  } catch {
    // An index that is not signed is larger than signatures are, or ends without the end of a tar.
    if (found.length === 0)
      throw untrusted(what, 'it does not begin with a signature; ingot reads signed archives only');
  }
  return found;
}

/** Bytes of the first packed part (RFC 1952): what follows its head, up to the end of its compressed data and 8 more. */
function firstMember(file: Uint8Array, what: string): number {
  const [head, flags] = [10, file[3] ?? 0];
  if (file[0] !== 0x1f || file[1] !== 0x8b) throw protocol(what);
  let at = head;
  if (flags & 4) at += 2 + (file[at] ?? 0) + ((file[at + 1] ?? 0) << 8);
  for (const flag of [8, 16]) if (flags & flag) at = file.indexOf(0, at) + 1 || file.length;
  if (flags & 2) at += 2;
  try {
    // Types do not know of `info`, which zlib documents.
    const { engine } = inflateRawSync(file.subarray(at), { info: true, maxOutputLength: MAX_BYTES }) as unknown as {
      engine: { bytesWritten: number };
    };
    return Math.min(at + engine.bytesWritten + 8, file.length);
  } catch (cause) {
    throw protocol(what, cause);
  }
}

const MAX_BYTES = 512 * 1024 * 1024;

function protocol(what: string, cause?: unknown): ArchiveError {
  return new ArchiveError(`${what} is no package index`, { code: 'protocol', cause });
}

function untrusted(what: string, why: string): ArchiveError {
  return new ArchiveError(`${what} cannot be trusted: ${why}`, { code: 'untrusted' });
}
