import type { View } from '../../src/commands/live/view.ts';
import { runOnce } from '../../src/commands/run-once.ts';
import { type CycleReport, cycleReport } from '../../src/commands/run-report.ts';
import { type App, compose } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';

/** Says nothing. */
export const SILENT: View = { onStep() {}, close() {} };

/** One cycle of the fleet in a folder, with a view of the test's own. */
export async function runFleet(root: string, view: View = SILENT): Promise<CycleReport> {
  return withFleet(root, async (app) => {
    const startedAt = Date.now();
    const result = await runOnce(app, view, new AbortController().signal);
    return cycleReport(result, app.ledger, { startedAt, endedAt: Date.now() });
  });
}

export async function withFleet<T>(root: string, use: (app: App) => Promise<T>): Promise<T> {
  const onTrouble = (message: string) => void process.stderr.write(`${message}\n`);
  const app = await compose(await readConfig({ root }), { signal: new AbortController().signal, onTrouble });
  try {
    return await use(app);
  } finally {
    await app.close();
  }
}
