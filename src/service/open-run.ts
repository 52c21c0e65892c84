import { inputsDigest } from '../domain/inputs.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ActiveRun } from '../ledger/store.ts';

/** Writes the start of a run into the ledger, before any worker can have it. */
export async function openRun(run: ActiveRun, ledger: Ledger): Promise<void> {
  const { runId: id, image, inputs, reasons, startedAt } = run;
  const { platforms } = inputs;
  await ledger.startRun({
    ...{ id, image, inputs: inputsDigest(inputs), reasons, holds: [], platforms, startedAt },
    steps: [],
  });
}
