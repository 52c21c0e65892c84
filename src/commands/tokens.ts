import type { AuditLog } from '../access/audit.ts';
import type { TokenStore } from '../access/tokens.ts';
import type { AccessRole } from '../domain/access/principal.ts';
import type { TokenRecord } from '../domain/access/token.ts';
import { parseUntil } from '../domain/until.ts';
import type { Output } from './output.ts';

export interface TokenDeps {
  readonly tokens: TokenStore;
  readonly audit: AuditLog;
  readonly person: string;
  readonly now: () => Date;
  readonly json: boolean;
}

export interface CreateTokenOptions {
  readonly name: string;
  readonly role: AccessRole;
  readonly images: readonly string[];
  /** As `parseUntil` reads it. */
  readonly expires: string;
}

/** `ingot token create`: prints the token, this once. */
export async function createTokenCommand(
  { name, role, images, expires }: CreateTokenOptions,
  output: Output,
  { tokens, audit, person, now, json }: TokenDeps,
): Promise<number> {
  const expiresAt = parseUntil(expires, now());
  const wanted = { name, role, images: [...images], expiresAt, createdBy: person };
  const entry = { who: person, what: 'token.create', on: [name], from: 'command line' };
  await audit.write({ ...entry, outcome: 'begun' });
  const { token, record } = await tokens.create(wanted);
  await audit.write({ ...entry, outcome: 'done', detail: `${record.id}, ${role} of ${images.join(' ')}` });
  if (json) output.json({ token, ...shown(record) });
  else {
    output.line(token);
    output.progress.write(`${role} of ${images.join(' ')} until ${expiresAt}; it is not shown again\n`);
  }
  return 0;
}

/** `ingot token list` */
export async function listTokensCommand(output: Output, { tokens, now, json }: TokenDeps): Promise<number> {
  const records = await tokens.list();
  if (json) output.json(records.map(shown));
  else if (records.length === 0) output.line('there are no tokens; "ingot token create NAME" makes one');
  for (const record of json ? [] : records) {
    const { id, name, role, images, createdBy } = record;
    output.line(`${id}  ${name}  ${role} of ${images.join(' ')}  ${stateOf(record, now())}  by ${createdBy}`);
  }
  return 0;
}

/** `ingot token revoke`: it is refused from the next request on. */
export async function revokeTokenCommand(what: string, output: Output, deps: TokenDeps): Promise<number> {
  const { tokens, audit, person, json } = deps;
  const entry = { who: person, what: 'token.revoke', on: [what], from: 'command line' };
  await audit.write({ ...entry, outcome: 'begun' });
  const record = await tokens.revoke(what);
  await audit.write({ ...entry, outcome: 'done', detail: record.id });
  if (json) output.json(shown(record));
  else output.line(`${record.name} (${record.id}) is revoked`);
  return 0;
}

function shown({ hash: _, ...record }: TokenRecord): Omit<TokenRecord, 'hash'> {
  return record;
}

function stateOf({ revokedAt, expiresAt }: TokenRecord, now: Date): string {
  if (revokedAt !== undefined) return `revoked ${revokedAt}`;
  return `${Date.parse(expiresAt) <= now.getTime() ? 'expired' : 'until'} ${expiresAt}`;
}
