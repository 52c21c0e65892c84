import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../lib/write-whole.ts';
import type { Part, PartState } from './part.ts';

const State = z.object({ pid: z.int().positive(), started: z.string(), address: z.string().min(1) });

/** What runs, or ran when its owner was killed. A damaged file says as little as none. */
export async function readState({ folder }: Part): Promise<PartState | undefined> {
  try {
    return State.parse(JSON.parse(await readFile(statePath(folder), 'utf8')));
  } catch {
    return undefined;
  }
}

export async function writeState({ folder }: Part, state: PartState): Promise<void> {
  await writeWhole(statePath(folder), `${JSON.stringify(state)}\n`);
}

export async function clearState({ folder }: Part): Promise<void> {
  await rm(statePath(folder), { force: true });
}

function statePath(folder: string): string {
  return join(folder, 'state.json');
}
