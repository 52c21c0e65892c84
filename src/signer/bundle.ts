import type { KeyObject } from 'node:crypto';
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle';
import { DSSEBundleBuilder } from '@sigstore/sign';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { z } from 'zod';
import { type Digest, hexOf } from '../domain/digest.ts';
import { canonicalJson } from '../domain/inputs.ts';
import { type Descriptor, MEDIA_TYPES } from '../registry/registry.ts';
import { keyHint, readPublicKey } from './key.ts';
import { BUNDLE_PREDICATE, SIGNATURE_PREDICATE, type Signer, type Statement } from './signer.ts';

/** cosign v3.1.2 specs/BUNDLE_SPEC.md */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** The statement that is a signature and nothing more. */
export const SIGNATURE: Statement = { predicateType: SIGNATURE_PREDICATE, predicate: {} };

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** The bytes that are signed: in-toto Statement v1 in RFC 8785 form, so that equal statements are equal bytes. */
export function statementPayload(subject: Digest, { predicateType, predicate }: Statement): Buffer {
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ digest: { sha256: hexOf(subject) } }],
    predicateType,
    predicate,
  };
  return Buffer.from(canonicalJson(statement));
}

/** Signs a payload into a sigstore bundle v0.3: DSSE, no transparency log, no certificate. */
export async function signBundle(payload: Buffer, signer: Signer): Promise<Buffer> {
  const hint = keyHint(readPublicKey(signer.publicKey));
  const builder = new DSSEBundleBuilder({
    witnesses: [],
    signer: {
      sign: async (data) => ({
        signature: Buffer.from(await signer.sign(data)),
        key: { $case: 'publicKey', publicKey: signer.publicKey, hint },
      }),
    },
  });
  const bundle = await builder.create({ type: PAYLOAD_TYPE, data: payload });
  // The library writes the hint here too; cosign skips every signature whose keyid is not its own idea of one
  // ("accepted signatures do not match threshold").
  for (const signature of bundle.content.dsseEnvelope.signatures) signature.keyid = '';
  return Buffer.from(JSON.stringify(bundleToJSON(bundle)));
}

/** The referrer that carries one bundle; `createdAt` is the statement's time, so that a retry gives the same manifest. */
export function bundleManifest(
  subject: Pick<Descriptor, 'mediaType' | 'digest' | 'size'>,
  blobs: { readonly config: Descriptor; readonly bundle: Descriptor },
  about: { readonly predicateType: string; readonly createdAt: string },
): Buffer {
  const { mediaType, digest, size } = subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    artifactType: BUNDLE_MEDIA_TYPE,
    config: { mediaType: MEDIA_TYPES.empty, digest: blobs.config.digest, size: blobs.config.size },
    layers: [{ mediaType: BUNDLE_MEDIA_TYPE, digest: blobs.bundle.digest, size: blobs.bundle.size }],
    subject: { mediaType, digest, size },
    annotations: {
      'org.opencontainers.image.created': about.createdAt,
      'dev.sigstore.bundle.content': 'dsse-envelope',
      [BUNDLE_PREDICATE]: about.predicateType,
    },
  };
  return Buffer.from(JSON.stringify(manifest));
}

/** What a bundle turned out to be. `foreign` is somebody else's signature: neither ours nor a fault. */
export type BundleReading =
  | { readonly state: 'valid'; readonly predicateType: string; readonly payload: Buffer }
  | { readonly state: 'foreign' | 'invalid'; readonly problem: string };

const StatementSchema = z.object({
  _type: z.string().startsWith('https://in-toto.io/Statement/'),
  subject: z.array(z.object({ digest: z.record(z.string(), z.string()) })),
  predicateType: z.string(),
});

/** Reads one bundle as cosign does: the given key decides, whatever the hint says; then the statement's subject. */
export function readBundle(bytes: Uint8Array, subject: Digest, publicKey: KeyObject): BundleReading {
  const bundle = parseBundle(bytes);
  if (bundle === undefined) return invalid('is no sigstore bundle');
  if (bundle.content.$case !== 'dsseEnvelope') return invalid('holds no DSSE envelope');
  const { content } = bundle.verificationMaterial;
  if (content.$case !== 'publicKey')
    return { state: 'foreign', problem: 'was made with a certificate, not with a key' };
  const { payload, payloadType, signatures } = bundle.content.dsseEnvelope;
  if (!verifies(bundle, publicKey)) {
    const { hint } = content.publicKey;
    return hint === '' || hint === keyHint(publicKey)
      ? invalid('has a signature that does not fit its content')
      : { state: 'foreign', problem: `was made with another key (hint ${hint.slice(0, 64)})` };
  }
  if (signatures[0]?.keyid) return invalid('has a keyid, for which cosign refuses it');
  if (payloadType !== PAYLOAD_TYPE) return invalid(`has the payload type ${payloadType}`);
  return readStatement(payload, subject);
}

function parseBundle(bytes: Uint8Array): ReturnType<typeof bundleFromJSON> | undefined {
  try {
    return bundleFromJSON(JSON.parse(Buffer.from(bytes).toString('utf8')));
  } catch {
    return undefined;
  }
}

function verifies(bundle: ReturnType<typeof bundleFromJSON>, publicKey: KeyObject): boolean {
  const trust = {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: () => ({ publicKey, validFor: () => true }),
  };
  const none = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
  try {
    new Verifier(trust, none).verify(toSignedEntity(bundle));
    return true;
  } catch {
    return false;
  }
}

function readStatement(payload: Buffer, subject: Digest): BundleReading {
  const statement = parseStatement(payload);
  if (statement === undefined) return invalid('holds no in-toto statement');
  if (!statement.subject.some(({ digest }) => digest.sha256 === hexOf(subject))) {
    return invalid('is about another image');
  }
  return { state: 'valid', predicateType: statement.predicateType, payload };
}

function parseStatement(payload: Buffer): z.infer<typeof StatementSchema> | undefined {
  try {
    return StatementSchema.safeParse(JSON.parse(payload.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

function invalid(problem: string): BundleReading {
  return { state: 'invalid', problem };
}
