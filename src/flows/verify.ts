import { shortDigest } from '../domain/digest.ts';
import { formatReference, type Reference } from '../domain/reference.ts';
import { type Attestor, SignerError, type Verification } from '../signer/signer.ts';

/** Reads back what was published, as a consumer would, and refuses to go on unless all of it verifies. */
export async function requireVerified(
  subjects: readonly Reference[],
  attestor: Attestor,
  signal: AbortSignal,
): Promise<void> {
  const found = await Promise.all(subjects.map((subject) => attestor.verify(subject, { signal })));
  const problems = found.flatMap((verification, index) => problemsOf(subjects[index]!, verification));
  if (problems.length === 0) return;
  throw new SignerError(`the signature does not verify, so no tag was moved: ${problems.join('; ')}`, {
    code: 'signing-failed',
    retryable: true,
  });
}

function problemsOf(subject: Reference, { bundle, legacy, digest, problems }: Verification): string[] {
  const where = `${formatReference({ registry: subject.registry, repository: subject.repository })}@${shortDigest(digest)}`;
  const bad = [
    bundle === 'valid' ? [] : [`bundle ${bundle}`],
    legacy === 'valid' ? [] : [`legacy signature ${legacy}`],
  ].flat();
  return bad.length === 0 ? [] : [`${where}: ${[...bad, ...problems].join(', ')}`];
}
