import { createHash, randomBytes } from 'node:crypto';
import type { AccessStore } from '../ledger/access.ts';

const MINUTES = 15;

/** Codes for the first admin of a service that nobody configured: each opens one session, soon or never. */
export interface LoginCodes {
  issue(): Promise<string>;
  /** Whether the code holds; from then on it does not, at no process. */
  redeem(code: string): Promise<boolean>;
}

export function createLoginCodes(store: Pick<AccessStore, 'putCode' | 'takeCode'>): LoginCodes {
  return {
    async issue() {
      const code = randomBytes(32).toString('base64url');
      await store.putCode(hash(code), MINUTES * 60_000);
      return code;
    },
    redeem: (code) => store.takeCode(hash(code)),
  };
}

/** Once somebody has said who may do what, no link is worth anything. */
export const NO_CODES: Pick<LoginCodes, 'redeem'> = { redeem: async () => false };

function hash(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
