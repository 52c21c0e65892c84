import { open } from 'node:fs/promises';
import { z } from 'zod';

/** An entry of the audit log as it lies on the disk. */
const Line = z.object({
  at: z.string(),
  who: z.string(),
  role: z.string().optional(),
  what: z.string(),
  on: z.array(z.string()),
  reason: z.string().optional(),
  from: z.string(),
  request: z.string().optional(),
  outcome: z.enum(['begun', 'done', 'refused', 'failed']),
  detail: z.string().optional(),
});
export type AuditLine = z.infer<typeof Line>;

/** The last entries, newest first. */
export type AuditReader = () => Promise<readonly AuditLine[]>;

/** However long the file is. */
const MAX_BYTES = 512 * 1024;

export function createAuditReader(path: string): AuditReader {
  return async () => {
    const lines = (await readTail(path)).split('\n');
    return lines.flatMap(parseLine).toReversed();
  };
}

function parseLine(text: string): readonly AuditLine[] {
  try {
    return [Line.parse(JSON.parse(text))];
  } catch {
    return []; // the first one may be cut, and a disk may have been full
  }
}

async function readTail(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined; // nothing was asked for yet
    throw error;
  });
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, MAX_BYTES);
    const buffer = Buffer.alloc(length);
    await file.read(buffer, 0, length, size - length);
    return buffer.toString('utf8');
  } finally {
    await file.close();
  }
}
