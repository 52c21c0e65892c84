import { withoutTokens } from '../domain/access/token.ts';
import { createRedactor } from './redact.ts';

/** Takes secrets out of what leaves the process as text: logs, errors on a terminal, traces. */
export interface Redaction {
  /** Values that must never be seen; known from when they are read. */
  learn(...secrets: readonly (string | undefined)[]): void;
  /** Blots out what was learnt, and whatever looks like a credential. */
  redact(text: string): string;
}

const PRIVATE_KEY = /(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----)[\s\S]*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g;
/** User and password of an address (RFC 3986, 3.2.1); `oci://image@sha256:…` has none. */
const USER_INFO = /(:\/\/)(?![^\s/?#@]*@sha(?:256|512):)[^\s/?#"']*@/g;
const BEARER = /\b(Bearer|token) +(?=[\w.~+/-]*\d)[\w.~+/-]{16,}=*/gi;
const BASIC = /\bBasic +([A-Za-z0-9+/_-]{8,}={0,2})/gi;
/** As their makers publish them: GitHub, GitLab, Slack, Amazon. */
const KNOWN_TOKENS =
  /\b(gh[pousr]_|github_pat_|glpat-|gldt-|glrt-|xox[abeoprs]-|dckr_pat_|npm_)[\w-]{10,}|\b(AKIA|ASIA)[A-Z0-9]{16}\b/g;
/** Of addresses that are signed, or that are a secret as a whole. */
const QUERY =
  /([?&](?:access_token|token|sig|signature|password|secret|api_?key|x-amz-(?:signature|credential|security-token)|x-goog-signature)=)[^&\s"'#]+/gi;
const WEBHOOK_PATH = /(hooks\.slack\.com\/(?:services|workflows)\/)[\w/-]+/g;
const ASSIGNED =
  /\b([\w-]*(?:password|passwd|passphrase|secret|_token|api_?key)\\*["']?(?:=|: ?\\*["']))[^\s"'\\,;&]+/gi;

/** @returns one that learns; make one a process */
export function createRedaction(): Redaction {
  const known = new Set<string>();
  let withoutKnown = createRedactor([]);
  return {
    learn(...secrets) {
      const fresh = secrets.filter((secret) => secret !== undefined && secret !== '' && !known.has(secret));
      if (fresh.length === 0) return;
      for (const secret of fresh) known.add(secret!);
      withoutKnown = createRedactor([...known].flatMap(formsOf));
    },
    redact: (text) => withoutCredentials(withoutKnown(text)),
  };
}

/** What looks like a credential, whoever wrote it. */
export function withoutCredentials(text: string): string {
  return withoutTokens(text)
    .replace(PRIVATE_KEY, '$1***$2')
    .replace(USER_INFO, '$1***@')
    .replace(BEARER, '$1 ***')
    .replace(BASIC, (whole, encoded: string) => (isPair(encoded) ? 'Basic ***' : whole))
    .replace(KNOWN_TOKENS, '***')
    .replace(QUERY, '$1***')
    .replace(WEBHOOK_PATH, '$1***')
    .replace(ASSIGNED, '$1***');
}

/** `user:password` in base64, and not a word. */
function isPair(encoded: string): boolean {
  return /^[\x20-\x7e]*:[\x20-\x7e]*$/.test(Buffer.from(encoded, 'base64').toString('latin1'));
}

/** A secret as it stands in addresses, headers and JSON. */
function formsOf(secret: string): readonly string[] {
  const trimmed = secret.trim();
  const encoded = Buffer.from(trimmed).toString('base64');
  return [secret, trimmed, encodeURIComponent(trimmed), JSON.stringify(trimmed).slice(1, -1), encoded];
}
