import { createHash, randomBytes } from 'node:crypto';

const MINUTES = 15;

/** Codes for the first admin of a service that nobody configured: each opens one session, soon or never. */
export interface LoginCodes {
  issue(): string;
  /** Whether the code holds; from then on it does not. */
  redeem(code: string): boolean;
}

export function createLoginCodes(now: () => Date = () => new Date()): LoginCodes {
  const known = new Map<string, number>();
  return {
    issue() {
      const code = randomBytes(32).toString('base64url');
      known.set(hash(code), now().getTime() + MINUTES * 60_000);
      return code;
    },
    redeem(code) {
      const name = hash(code);
      const until = known.get(name);
      known.delete(name);
      return until !== undefined && until > now().getTime();
    },
  };
}

function hash(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
