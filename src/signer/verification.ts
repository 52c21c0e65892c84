import { type Digest, shortDigest } from '../domain/digest.ts';
import { SIGNATURE } from './bundle.ts';
import type { FoundBundle } from './bundle-referrers.ts';
import type { FoundSignature } from './legacy-signatures.ts';
import type { SignatureState, Verification } from './signer.ts';

/** Sums up what was read. One signature by the key is enough: other signers may stand beside it. */
export function summarise(
  digest: Digest,
  bundles: readonly FoundBundle[],
  signatures: readonly FoundSignature[],
): Verification {
  const valid = bundles.flatMap((bundle) => (bundle.state === 'valid' ? [bundle.predicateType] : []));
  const signed = valid.includes(SIGNATURE.predicateType);
  const legacy = stateOf(
    signatures.some(({ problem }) => problem === undefined),
    signatures.length,
  );
  return {
    digest,
    bundle: stateOf(signed, bundles.length - valid.length),
    legacy,
    attestations: [...new Set(valid)].filter((type) => type !== SIGNATURE.predicateType).sort(),
    problems: [...bundleProblems(bundles, signed), ...legacyProblems(signatures, legacy)],
  };
}

function stateOf(valid: boolean, others: number): SignatureState {
  if (valid) return 'valid';
  return others === 0 ? 'missing' : 'invalid';
}

/** Somebody else's signature is worth a word only where ours is missing. */
function bundleProblems(bundles: readonly FoundBundle[], signed: boolean): string[] {
  return bundles.flatMap((bundle) => {
    if (bundle.state === 'valid' || (signed && bundle.state === 'foreign')) return [];
    return [`bundle ${shortDigest(bundle.referrer)} ${bundle.problem}`];
  });
}

function legacyProblems(signatures: readonly FoundSignature[], state: SignatureState): string[] {
  if (state === 'valid') return [];
  return signatures.map(({ layer, problem }) => `legacy signature ${shortDigest(layer.digest)} ${problem}`);
}
