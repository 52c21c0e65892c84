import { FactoryError } from '../domain/errors.ts';
import type { Attestor } from '../signer/signer.ts';
import type { ProcessMetrics } from './metrics.ts';

/** Counts what is signed, and what is found when it is read back. */
export function watchAttestor<T extends Attestor>(
  attestor: T,
  { signatures, verifications }: Pick<ProcessMetrics, 'signatures' | 'verifications'>,
): T {
  const counted = async <R>(kind: 'signature' | 'attestation', work: Promise<R>): Promise<R> => {
    try {
      const made = await work;
      signatures.inc({ kind, result: 'done' });
      return made;
    } catch (error) {
      const isCancelled = error instanceof FactoryError && error.code === 'cancelled';
      if (!isCancelled) signatures.inc({ kind, result: 'failed' });
      throw error;
    }
  };
  return {
    ...attestor,
    sign: (...args) => counted('signature', attestor.sign(...args)),
    attest: (...args) => counted('attestation', attestor.attest(...args)),
    async verify(...args) {
      const found = await attestor.verify(...args);
      for (const format of ['bundle', 'legacy'] as const) verifications.inc({ format, result: found[format] });
      return found;
    },
  };
}
