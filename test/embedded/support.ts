import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PartName } from '../../src/embedded/part.ts';
import { ensureRuntimeFolder } from '../../src/embedded/runtime-folder.ts';

/** An empty data directory and what removes it. */
export async function temporaryDirectory(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'ingot-embedded-'));
  return {
    path,
    remove: async () => {
      for (const folder of [path, await ensureRuntimeFolder(path)]) {
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  };
}

export interface OtherProcess {
  readonly pid: number;
  readonly addresses: Partial<Record<PartName, string>>;
  readonly owner: boolean;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Another ingot: a process that starts the parts, says where, and stays until it is killed or told to end. */
export async function startElsewhere(dataDirectory: string, needs: readonly PartName[]): Promise<OtherProcess> {
  const script = join(import.meta.dirname, 'other-process.ts');
  const child = spawn(process.execPath, [script, dataDirectory, ...needs], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit').then(fail)])) as [string];
  const { owner, ...addresses } = JSON.parse(line);
  return {
    pid: child.pid as number,
    addresses,
    owner,
    kill: async (signal) => {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    },
  };
}

function fail(): never {
  throw new Error('the other process ended early');
}
