import { createMessage, type Key, type KeyID, readCleartextMessage, readKeys, readSignature, verify } from 'openpgp';
import { ArchiveError } from './archives.ts';

/** Whom a source trusts. */
export interface Keyring {
  /** Files with public keys, armored or not; what is no key is read over, as apt does. */
  readonly files: readonly Uint8Array[];
  /** Of primary keys or subkeys; empty: any key in the files. */
  readonly fingerprints: readonly string[];
}

/** The text of a Release file, and who says so. */
export type SignedText =
  | { readonly kind: 'clearsigned'; readonly text: Uint8Array }
  | { readonly kind: 'detached'; readonly text: Uint8Array; readonly signature: Uint8Array };

/**
 * The text that is signed, and nothing around it, when a key of the ring signed it and no signature by such a key is
 * bad (what apt makes of gpgv's answer).
 * @throws ArchiveError `untrusted`
 */
export async function verifiedText(signed: SignedText, keyring: Keyring, options: VerifyOptions): Promise<string> {
  const { what, now } = options;
  const keys = await readKeyring(keyring.files);
  const { data, signatures } = await readSigned(signed, keys, options);
  const unknown: string[] = [];
  const unfit: string[] = [];
  let good = 0;
  for (const { keyID, verified } of signatures) {
    const problem = await problemOf({ keyID, verified }, keys, keyring, now);
    if (problem === undefined) good++;
    else if (problem === 'unknown') unknown.push(keyID.toHex().toUpperCase());
    else if (problem === 'bad')
      throw untrusted(what, 'its signature does not fit its content: it was changed on its way');
    else unfit.push(`${keyID.toHex().toUpperCase()} (${problem})`);
  }
  if (good > 0) return data;
  if (unfit.length > 0) throw untrusted(what, `it is signed by ${unfit.join(', ')}`);
  throw untrusted(
    what,
    `it is signed by ${unknown.join(', ') || 'nobody'}, and none of the ${keys.length} trusted keys is one of them; update the keyring in the image, or name one under "archives" in ingot.yaml`,
  );
}

export interface VerifyOptions {
  /** The file, for messages. */
  readonly what: string;
  readonly now: Date;
}

/** openpgp looks at a key as it was when it signed; like gpgv, we also want it to be good now. */
async function problemOf(
  { keyID, verified }: { keyID: KeyID; verified: Promise<true> },
  keys: readonly Key[],
  { fingerprints }: Keyring,
  now: Date,
): Promise<string | undefined> {
  const outcome = await verified.then(() => undefined).catch((error: Error) => error.message);
  const key = keys.find((each) => each.getKeys(keyID).length > 0);
  if (key === undefined) return 'unknown';
  const allowed = [key.getFingerprint(), ...key.getKeys(keyID).map((part) => part.getFingerprint())];
  const wanted = fingerprints.map((each) => each.replace(/!$/, '').toLowerCase());
  if (wanted.length > 0 && !wanted.some((each) => allowed.includes(each))) return 'not the key that Signed-By names';
  if (outcome !== undefined) return /digest did not match|invalid signature/i.test(outcome) ? 'bad' : outcome;
  return key
    .getSigningKey(keyID, now)
    .then(() => undefined)
    .catch((error: Error) => error.message);
}

async function readSigned(signed: SignedText, verificationKeys: Key[], { what, now }: VerifyOptions) {
  try {
    if (signed.kind === 'clearsigned') {
      const message = await readCleartextMessage({ cleartextMessage: decode(signed.text) });
      return await verify({ message, verificationKeys, date: now });
    }
    const signature = isArmored(signed.signature)
      ? await readSignature({ armoredSignature: decode(signed.signature) })
      : await readSignature({ binarySignature: signed.signature });
    const message = await createMessage({ binary: signed.text });
    const { signatures } = await verify({ message, signature, verificationKeys, format: 'binary', date: now });
    return { data: decode(signed.text), signatures };
  } catch (cause) {
    throw untrusted(what, `its signature cannot be read: ${(cause as Error).message}`, cause);
  }
}

async function readKeyring(files: readonly Uint8Array[]): Promise<Key[]> {
  const read = await Promise.all(files.map((file) => readKeyFile(file).catch(() => [])));
  return read.flat();
}

async function readKeyFile(file: Uint8Array): Promise<Key[]> {
  if (!isArmored(file)) return readKeys({ binaryKeys: file });
  const blocks = decode(file).match(/-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]*?-----END PGP PUBLIC KEY BLOCK-----/g);
  const keys = await Promise.all((blocks ?? []).map((block) => readKeys({ armoredKeys: block })));
  return keys.flat();
}

/** Packets begin with a byte above 127 (RFC 9580, 4.2). */
function isArmored(file: Uint8Array): boolean {
  return file[0] !== undefined && file[0] < 0x80;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function untrusted(what: string, why: string, cause?: unknown): ArchiveError {
  return new ArchiveError(`${what} cannot be trusted: ${why}`, { code: 'untrusted', cause });
}
