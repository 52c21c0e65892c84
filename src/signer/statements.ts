import { type Digest, hexOf } from '../domain/digest.ts';
import { type Inputs, inputsDigest, type ResolvedInput } from '../domain/inputs.ts';
import type { Platform } from '../domain/platform.ts';
import { familiarReference, type Reference } from '../domain/reference.ts';
import type { Reason } from '../domain/staleness.ts';
import type { Finding, Verdict } from '../domain/verdict.ts';
import { SignerError, type Statement } from './signer.ts';

/** Described in docs/attestations.md. The domain is reserved (RFC 2606): nobody can ever own these names. */
export const BUILD_TYPE = 'https://ingot.example/attestations/build/v1';

export const PREDICATE_TYPES = {
  provenance: 'https://slsa.dev/provenance/v1',
  spdx: 'https://spdx.dev/Document',
  vulnerabilities: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  verdict: 'https://ingot.example/attestations/verdict/v1',
} as const;

export interface ProvenanceFacts {
  readonly inputs: Inputs;
  /** Platforms that the subject holds: all for an index, one for a platform manifest. Default: those of the inputs. */
  readonly platforms?: readonly Platform[];
  /** Where an input is to be had: golden inputs are named without a registry. */
  readonly referenceOf: (input: ResolvedInput) => Reference;
  readonly reasons: readonly Reason[];
  /** `id` with the key is what consumers trust: a URI that names this factory. */
  readonly builder: { readonly id: string; readonly version: string };
  /** Repository and commit of the definition. */
  readonly source?: { readonly uri: string; readonly revision: string } | undefined;
  /** Give the same for each attempt at one release, else each attempt attests anew. */
  readonly invocationId: string;
  /** RFC 3339, UTC. */
  readonly startedOn?: string;
  readonly finishedOn?: string;
}

/** SLSA provenance v1 (slsa.dev/spec/v1.0/provenance). Names and digests only: no argument, no environment. */
export function provenanceStatement(facts: ProvenanceFacts): Statement {
  const { inputs, reasons, builder, source } = facts;
  const platforms = facts.platforms ?? inputs.platforms;
  const { image, definition, recipe } = inputs;
  const definedIn = source === undefined ? [] : [sourceDependency(source)];
  const predicate = {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: { image, platforms: [...platforms].sort(), definition },
      internalParameters: { recipe, inputs: inputsDigest(inputs), reasons },
      resolvedDependencies: [
        ...inputs.inputs.flatMap((input) => imageDependencies(input, platforms, facts)),
        ...definedIn,
      ],
    },
    runDetails: {
      builder: { id: builder.id, version: { ingot: builder.version } },
      metadata: { invocationId: facts.invocationId, startedOn: facts.startedOn, finishedOn: facts.finishedOn },
    },
  };
  return { predicateType: PREDICATE_TYPES.provenance, predicate };
}

function sourceDependency({ uri, revision }: { uri: string; revision: string }) {
  return { name: 'definition', uri: `git+${withoutCredentials(uri)}@${revision}`, digest: { gitCommit: revision } };
}

function withoutCredentials(uri: string): string {
  return uri.replace(/^([a-z+]+:\/\/)[^/@]*@/i, '$1');
}

function imageDependencies(input: ResolvedInput, platforms: readonly Platform[], facts: ProvenanceFacts) {
  return platforms.flatMap((platform) => {
    const digest = input.platforms[platform];
    if (digest === undefined) return [];
    const uri = dockerPackageUrl(facts.referenceOf(input), platform);
    return [{ name: input.role, uri, digest: { sha256: hexOf(digest) } }];
  });
}

/** As BuildKit writes it: `pkg:docker/debian@12?platform=linux%2Famd64`. */
function dockerPackageUrl(reference: Reference, platform: Platform): string {
  const name = familiarReference({ registry: reference.registry, repository: reference.repository });
  const path = name.split('/').map((part) => encodeURIComponent(part).replaceAll('%3A', ':'));
  const tag = reference.tag === undefined ? '' : `@${encodeURIComponent(reference.tag)}`;
  return `pkg:docker/${path.join('/')}${tag}?platform=${encodeURIComponent(platform)}`;
}

/** The SBOM of one platform. @param document SPDX 2.3 JSON */
export function spdxStatement(document: Uint8Array): Statement {
  return { predicateType: PREDICATE_TYPES.spdx, predicate: JSON.parse(Buffer.from(document).toString('utf8')) };
}

export interface ScanFacts {
  readonly scanner: { readonly name: string; readonly version: string };
  readonly database: { readonly id: string; readonly built: string };
  readonly findings: readonly Finding[];
  /** RFC 3339, UTC. Give the same for each attempt at one release. */
  readonly startedOn: string;
  readonly finishedOn: string;
}

/** Vulnerability report of one platform (cosign v3.1.2 specs/COSIGN_VULN_ATTESTATION_SPEC.md). */
export function vulnerabilityStatement({ scanner, database, findings, startedOn, finishedOn }: ScanFacts): Statement {
  const predicate = {
    invocation: { parameters: [], uri: '', event_id: '', 'builder.id': '' },
    scanner: {
      uri: `pkg:generic/${encodeURIComponent(scanner.name)}@${encodeURIComponent(scanner.version)}`,
      version: scanner.version,
      db: { uri: '', version: database.id, lastUpdate: database.built },
      result: { findings },
    },
    metadata: { scanStartedOn: startedOn, scanFinishedOn: finishedOn },
  };
  return { predicateType: PREDICATE_TYPES.vulnerabilities, predicate };
}

export interface VerdictFacts {
  readonly image: string;
  readonly version: string;
  readonly inputs: Digest;
  readonly verdict: Verdict;
  /** RFC 3339, UTC. */
  readonly evaluatedAt: string;
}

/**
 * Why an image was allowed. `cosign verify` takes any statement by the key for a signature, so one about a blocked
 * image must never be signed.
 */
export function verdictStatement({ image, version, inputs, verdict, evaluatedAt }: VerdictFacts): Statement {
  if (!verdict.allowed) {
    throw new SignerError(`the verdict on ${image} is "blocked": nothing about it may be signed`, { code: 'bug' });
  }
  const { allowed, checks, warnings, waived, notes } = verdict;
  const predicate = { image, version, inputs, evaluatedAt, allowed, checks, warnings, waived, notes };
  return { predicateType: PREDICATE_TYPES.verdict, predicate };
}
