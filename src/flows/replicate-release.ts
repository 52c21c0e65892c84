import { FactoryError } from '../domain/errors.ts';
import { atDigest, atTag, type Reference, repositoryOf } from '../domain/reference.ts';
import { parseManifest } from '../registry/manifest.ts';
import type { Call, Registry, StoredManifest } from '../registry/registry.ts';
import { signatureTag } from '../signer/signer.ts';
import { inTurn } from './channel-moves.ts';
import { ANNOTATIONS, childDigests } from './releases.ts';
import { copyReferrer } from './repair-content.ts';
import type { Pair, ReplicateDeps } from './replicate.ts';
import { requireTurn } from './repository-lock.ts';
import type { Step } from './steps.ts';
import { requireVerified } from './verify.ts';

/**
 * One release as a whole, its tag last: who sees the version at the replica sees all of it. Each step asks whether it
 * is done, so that a killed one goes on. @returns false when it was there already, or is not here any more
 */
export async function replicateRelease(
  pair: Pair,
  version: string,
  deps: ReplicateDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const index = await deps.registry.manifest(atTag(pair.from, version), { signal });
  if (index === undefined) return false;
  for (const step of replicaSteps(pair, version, index, deps)) {
    if (!(await step.isDone(signal))) await step.run(signal);
  }
  return true;
}

function replicaSteps(pair: Pair, version: string, index: StoredManifest, deps: ReplicateDeps): readonly Step[] {
  const { from, to } = pair;
  const parsed = parseManifest(index.bytes, 'a release');
  const digests = [index.descriptor.digest, ...Object.values(childDigests(parsed)).map((child) => child!)];
  const createdAt = parsed.annotations?.[ANNOTATIONS.created] ?? deps.now().toISOString();
  const here = digests.map((digest) => atDigest(from, digest));
  const there = digests.map((digest) => atDigest(to, digest));
  const never = async () => false;
  return [
    // What a consumer would refuse here goes nowhere, and is signed nowhere
    { name: 'check', external: false, isDone: never, run: (signal) => requireVerified(here, deps.attestor, signal) },
    {
      name: 'copy',
      external: true,
      isDone: never,
      run: async (signal) => void (await deps.registry.copy(here[0]!, bare(to), { signal })),
    },
    {
      name: 'attachments',
      external: true,
      isDone: never,
      async run(signal) {
        for (const subject of here) await copyAttachments(subject, to, deps.registry, { signal });
      },
    },
    {
      name: 'sign',
      external: false,
      isDone: never,
      async run(signal) {
        for (const subject of there) await deps.attestor.sign(subject, { createdAt, signal });
      },
    },
    { name: 'verify', external: false, isDone: never, run: (signal) => requireVerified(there, deps.attestor, signal) },
    tagStep(pair, version, index, deps),
  ];
}

/** Versions are never moved, there neither. */
function tagStep({ to }: Pair, version: string, index: StoredManifest, deps: ReplicateDeps): Step {
  const { mediaType, digest } = index.descriptor;
  const holder = async (signal: AbortSignal) => (await deps.registry.head(atTag(to, version), { signal }))?.digest;
  return {
    name: 'tag',
    external: false,
    isDone: async (signal) => (await holder(signal)) === digest,
    run: (signal) =>
      inTurn(to, deps, signal, async (lock) => {
        const found = await holder(signal);
        if (found === digest) return;
        if (found !== undefined) throw taken(to, version);
        requireTurn(lock, to);
        await deps.registry.putManifest(atTag(to, version), { mediaType, bytes: index.bytes }, { signal });
      }),
  };
}

export function taken(to: Reference, version: string): FactoryError {
  const message = `${repositoryOf(to)}:${version} is another image there and is not overwritten; find out who pushed it`;
  return new FactoryError(message, { code: 'conflict' });
}

/**
 * Signatures, attestations, SBOMs, records: everything that refers to a manifest, and the legacy signatures, which do
 * not. Those name the repository they were made for (facts: containers/image minds it, cosign does not), so that the
 * replica gets one more of its own.
 */
async function copyAttachments(subject: Reference, to: Reference, registry: Registry, call: Call): Promise<void> {
  await copyReferrers(subject, to, registry, call);
  const tag = signatureTag(subject.digest!);
  if ((await registry.head(atTag(to, tag), call)) !== undefined) return;
  if ((await registry.head(atTag(subject, tag), call)) === undefined) return;
  await registry.copy(atTag(subject, tag), atTag(to, tag), call);
}

/** Those that the replica does not list yet. */
export async function copyReferrers(subject: Reference, to: Reference, registry: Registry, call: Call): Promise<void> {
  const ours = await registry.referrers(subject, call);
  if (ours.length === 0) return;
  const theirs = new Set((await registry.referrers(atDigest(to, subject.digest!), call)).map(({ digest }) => digest));
  for (const { digest } of ours) {
    if (!theirs.has(digest)) await copyReferrer(atDigest(subject, digest), bare(to), registry, call);
  }
}

function bare({ registry, repository }: Reference): Reference {
  return { registry, repository };
}
