/** What a secret looks like wherever it stands. Only formats that nothing else has: a false alarm is switched off, and then the real one is missed. */
const FORMATS: readonly { readonly what: string; readonly pattern: RegExp }[] = [
  { what: 'a private key', pattern: /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/ },
  { what: 'an AWS access key', pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { what: 'a GitHub token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b/ },
  { what: 'a GitLab token', pattern: /\bgl(?:pat|ptt|dt|rt|cbt|agent|soat|ft)-[A-Za-z0-9_-]{20,}/ },
  { what: 'a Slack token', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/ },
  { what: 'a Slack webhook', pattern: /hooks\.slack\.com\/services\/T[A-Za-z0-9_]+\/B[A-Za-z0-9_]+\/[A-Za-z0-9_]+/ },
  { what: 'a Google API key', pattern: /\bAIza[0-9A-Za-z_-]{35}\b/ },
  { what: 'a Stripe key', pattern: /\b[sr]k_live_[0-9A-Za-z]{20,}\b/ },
  { what: 'an npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/ },
  { what: 'a PyPI token', pattern: /\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{20,}/ },
  { what: 'a Docker Hub token', pattern: /\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}/ },
  { what: 'a HashiCorp Vault token', pattern: /\bhv[sb]\.[A-Za-z0-9_-]{24,}/ },
  { what: 'a SendGrid key', pattern: /\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/ },
  { what: 'an age secret key', pattern: /AGE-SECRET-KEY-1[0-9A-Z]{50,}/ },
  { what: 'a JSON Web Token', pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/ },
  // Not `$USER:$PASSWORD@` nor `<user>:<password>@`: those are named, not given.
  { what: 'a URL with a password', pattern: /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"'<${]*:[^\s/:@"'<${*]+@/i },
];

/** What kind of secret a text holds, each once; never the secret itself. */
export function secretsIn(text: string): readonly string[] {
  return FORMATS.filter(({ pattern }) => pattern.test(text)).map(({ what }) => what);
}

const SECRET_NAME =
  /(?:^|_)(?:PASS(?:WORD|WD|PHRASE)|SECRET|SECRET_?KEY|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|AUTH_?KEY|CREDENTIALS?)$/i;
const HARMLESS_NAME = /(?:^|_)(?:PUBLIC|ENABLE|DISABLE|ALLOW|ALLOW_EMPTY|USE|MAX|MIN)_/i;

/** True when a variable of this name with this value gives away a secret: not for a file, a variable or a switch. */
export function isSecretVariable(name: string, value: string): boolean {
  if (!SECRET_NAME.test(name) || HARMLESS_NAME.test(name)) return false;
  return value !== '' && !/^(?:\$|\/|true$|false$|yes$|no$|\d$|none$)/i.test(value);
}
