import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withoutTokens } from '../domain/access/token.ts';
import { FactoryError } from '../domain/errors.ts';

/** Who tried what, from where, and what came of it. Told when it is begun and when it has ended, so that a kill hides nothing. */
export interface AuditEntry {
  readonly who: string;
  readonly role?: string;
  /** `rebuild.start`, `image.rollback`, `token.create`, `session.start`… */
  readonly what: string;
  /** Images, a run, a token. */
  readonly on: readonly string[];
  readonly reason?: string | undefined;
  /** An address, or `command line`. */
  readonly from: string;
  /** Of the request that brought it; entries of one change have the same. */
  readonly request?: string | undefined;
  readonly outcome: 'begun' | 'done' | 'refused' | 'failed';
  /** What was made of it, or why not. */
  readonly detail?: string | undefined;
}

export interface AuditLog {
  /** On the disk when it returns. @throws FactoryError: what cannot be written down is not done */
  write(entry: AuditEntry): Promise<void>;
}

/** Lines of JSON that are only ever appended, and said again wherever the service's words go. */
export function createAuditLog({
  path,
  print,
  now = () => new Date(),
}: {
  readonly path: string;
  readonly print: (line: string, entry: AuditEntry) => void;
  readonly now?: () => Date;
}): AuditLog {
  return {
    async write(entry) {
      const line = JSON.stringify({ at: now().toISOString(), ...entry }, (_, value: unknown) =>
        typeof value === 'string' ? withoutTokens(value) : value,
      );
      await append(path, `${line}\n`);
      print(line, entry);
    },
  };
}

async function append(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Opened each time: a file that is rotated away is begun anew. One write is one line (O_APPEND)
    const file = await open(path, 'a', 0o600);
    try {
      await file.write(text);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new FactoryError(`the audit log cannot be written, and nothing is changed without it: ${why}`, {
      code: 'unavailable',
      cause,
    });
  }
}
