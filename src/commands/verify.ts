import Table from 'cli-table3';
import { shortDigest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import { type Platform, platformOf } from '../domain/platform.ts';
import { atDigest, formatReference, parseReference, type Reference } from '../domain/reference.ts';
import { isIndex, type Manifest, type Registry } from '../registry/registry.ts';
import type { Attestor, Verification } from '../signer/signer.ts';
import { PREDICATE_TYPES } from '../signer/statements.ts';
import { explainVerification } from './verify-explain.ts';

export interface VerifyOptions {
  readonly registry: Registry;
  readonly attestor: Attestor;
  /** PEM; default: the fleet's own key. */
  readonly publicKey?: string | undefined;
  /** Where the public key is, as `--explain` shall name it. */
  readonly keyFile?: string | undefined;
  /** The registry speaks plain HTTP: other tools need a flag for that. */
  readonly http?: boolean | undefined;
  readonly explain?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly print: (line: string) => void;
}

/** For the caller to explain: a mistake in the call, or in us. All else means that something could not be asked. */
const NOT_ABOUT_REGISTRY = ['usage', 'configuration', 'cancelled', 'bug', 'no-key', 'bad-key'];

/** What was found for one manifest of an image. */
interface Checked extends Verification {
  /** Absent for the index. */
  readonly platform?: Platform;
}

/**
 * `ingot verify`: checks an image and each of its platforms, in both signature formats, as consumers do.
 * @returns 0 when all is signed, 1 when not, 4 when the registry could not be asked
 */
export async function verifyCommand(text: string, options: VerifyOptions): Promise<number> {
  const reference = parseReference(text);
  try {
    return await verify(reference, options);
  } catch (error) {
    if (!(error instanceof FactoryError) || NOT_ABOUT_REGISTRY.includes(error.code)) throw error;
    options.print(`${formatReference(reference)} could not be verified: ${error.message}`);
    return error.code === 'missing-content' ? 1 : 4;
  }
}

async function verify(reference: Reference, options: VerifyOptions): Promise<number> {
  const subjects = await subjectsOf(reference, options);
  if (subjects === undefined) {
    options.print(`${formatReference(reference)} is not in the registry`);
    return 1;
  }
  const checked: Checked[] = [];
  for (const { subject, platform } of subjects) {
    const verification = await options.attestor.verify(subject, options);
    checked.push({ ...(platform === undefined ? {} : { platform }), ...verification });
  }
  const valid = checked.every(({ bundle, legacy }) => bundle === 'valid' && legacy === 'valid');
  if (options.json) printJson(reference, checked, valid, options.print);
  else printText(reference, checked, valid, options);
  return valid ? 0 : 1;
}

interface SubjectOf {
  readonly subject: Reference;
  readonly platform?: Platform;
}

/** Index first, then its platforms: admission controllers check the one, podman and skopeo the other. */
async function subjectsOf(reference: Reference, { registry, signal }: VerifyOptions): Promise<SubjectOf[] | undefined> {
  const stored = await registry.manifest(reference, { signal });
  if (stored === undefined) return undefined;
  const { digest, mediaType } = stored.descriptor;
  const top = { subject: atDigest(reference, digest) };
  if (!isIndex(mediaType)) return [top];
  const { manifests = [] } = JSON.parse(Buffer.from(stored.bytes).toString('utf8')) as Manifest;
  const children = manifests.flatMap((child) => {
    const platform = child.platform && platformOf(child.platform);
    // BuildKit's own attestations are children of the platform unknown/unknown.
    if (platform === undefined || platform === 'unknown/unknown') return [];
    return [{ subject: atDigest(reference, child.digest), platform }];
  });
  return [top, ...children];
}

function printJson(reference: Reference, checked: readonly Checked[], valid: boolean, print: VerifyOptions['print']) {
  print(JSON.stringify({ reference: formatReference(reference), valid, manifests: checked }, null, 2));
}

function printText(reference: Reference, checked: readonly Checked[], valid: boolean, options: VerifyOptions): void {
  const { print } = options;
  const name = formatReference(reference);
  const table = new Table({
    head: ['', 'digest', 'bundle', 'legacy', 'attestations'],
    style: { head: [], border: [], compact: true },
    chars: PLAIN,
  });
  for (const each of checked) {
    const kind = each.platform ?? (checked.length > 1 ? 'index' : 'image');
    table.push([kind, shortDigest(each.digest), each.bundle, each.legacy, each.attestations.map(nameOf).join(', ')]);
  }
  for (const line of table.toString().split('\n')) print(line.trimEnd());
  for (const { platform, problems } of checked) {
    for (const problem of problems) print(`${platform ?? name}: ${problem}`);
  }
  print(valid ? `${name} is signed, on every platform` : `${name} is NOT fully signed with this key`);
  if (options.explain) for (const line of explainVerification(reference, checked[0]!.digest, options)) print(line);
}

const PLAIN = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' ' },
};

/** `provenance` instead of its URI. */
function nameOf(predicateType: string): string {
  return Object.entries(PREDICATE_TYPES).find(([, type]) => type === predicateType)?.[0] ?? predicateType;
}
