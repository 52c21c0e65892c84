import { type Digest, digestOf } from '../domain/digest.ts';
import { isTrustedKeyring } from '../domain/packages/deb-files.ts';
import type { DebSource } from '../domain/packages/deb-sources.ts';
import type { PackageState } from '../domain/packages/state.ts';
import type { Trust } from './apt-suites.ts';
import { ArchiveError } from './archives.ts';

/**
 * Whose signature a source takes: that of its own keyrings, else of all that the image trusts; besides, that of the
 * mirror in its place (apt-secure(8), sources.list(5) Signed-By).
 * @throws ArchiveError `untrusted` when the source asks for no signature, or names keys that are not there
 */
export function trustOf(
  source: DebSource,
  files: PackageState['files'],
  mirrorKeyring: Uint8Array | undefined,
): Omit<Trust, 'checkValidUntil'> {
  const where = `${source.file} in the image`;
  if (source.trusted) {
    throw untrusted(
      `${where} takes ${source.suite} from anybody (trusted=yes); sign the archive and name its key in Signed-By, ingot reads signed archives only`,
    );
  }
  const paths = source.signedBy.filter((each) => each.startsWith('/'));
  const fingerprints = source.signedBy.filter((each) => !each.startsWith('/'));
  const missing = paths.filter((path) => files[path] === undefined);
  if (missing.length > 0 && mirrorKeyring === undefined) {
    throw untrusted(`${where} names the keyring ${missing[0]}, which the image does not have; install it there`);
  }
  const own = [
    ...paths.flatMap((path) => files[path] ?? []),
    ...(source.inlineKey === undefined ? [] : [new TextEncoder().encode(source.inlineKey)]),
  ];
  const limited = own.length > 0 || missing.length > 0;
  const trusted = limited
    ? own
    : Object.keys(files)
        .filter(isTrustedKeyring)
        .map((path) => files[path]!);
  const keys = [...trusted, ...(mirrorKeyring === undefined ? [] : [mirrorKeyring])];
  if (keys.length === 0) {
    throw untrusted(
      `the image has no keys for ${source.suite} of ${where}; install the archive's keyring, or name one under "archives" in ingot.yaml`,
    );
  }
  return { files: keys, fingerprints, digest: digestOf(JSON.stringify([keys.map(cachedDigest), fingerprints])) };
}

/** States share the contents of their files. */
const digests = new WeakMap<Uint8Array, Digest>();

function cachedDigest(file: Uint8Array): Digest {
  const known = digests.get(file) ?? digestOf(file);
  digests.set(file, known);
  return known;
}

function untrusted(message: string): ArchiveError {
  return new ArchiveError(message, { code: 'untrusted' });
}
