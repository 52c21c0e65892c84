import type { App } from '../compose.ts';
import { inputsDigest } from '../domain/inputs.ts';
import { planFleet } from '../domain/plan.ts';
import { gatherFacts } from '../flows/cycle.ts';
import { planLine } from './live/plan-line.ts';
import type { Output } from './output.ts';

/** `ingot plan`: what would be done now, in order, and why; nothing is touched. */
export async function planCommand(
  app: App,
  output: Output,
  options: { json: boolean; signal: AbortSignal },
): Promise<number> {
  const plan = planFleet(await gatherFacts(app.cycle, options.signal));
  if (options.json) {
    output.json(plan.map((entry) => ({ ...entry, ...(entry.inputs && { inputsDigest: inputsDigest(entry.inputs) }) })));
  } else {
    for (const entry of plan) output.line(`${entry.image}: ${planLine(entry)}`);
  }
  return plan.some(({ state }) => state === 'unknown') ? 4 : 0;
}
