import type { StepRecord } from '../../src/domain/run.ts';
import { runFleet } from './run-fleet.ts';

/**
 * One cycle that ends itself by SIGKILL before or after a step, as if power was lost.
 * Arguments: folder, image, `running` (before) or `done` (after), step, platform or nothing.
 */
const [root = '', image = '', state = '', name = '', platform = ''] = process.argv.slice(2);
const images = new Map<string, string>();

await runFleet(root, {
  onStart: (runId, entry) => void images.set(runId, entry.image),
  onStep(runId: string, step: StepRecord) {
    const here = images.get(runId) === image && step.name === name && (step.platform ?? '') === platform;
    if (here && step.state === state) process.kill(process.pid, 'SIGKILL');
  },
  close() {},
});
