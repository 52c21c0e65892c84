import type { StepRecord } from '../../src/domain/run.ts';
import { runFleet } from './run-fleet.ts';

/**
 * One cycle that ends itself by SIGKILL before or after a step, as if power was lost.
 * Arguments: folder, image, `running` (before) or `done` (after), step, platform or nothing.
 * A cycle that comes to its end all the same says on stderr how its runs ended.
 */
const [root = '', image = '', state = '', name = '', platform = ''] = process.argv.slice(2);
const images = new Map<string, string>();

const { runs } = await runFleet(root, {
  onStart: (runId, entry) => void images.set(runId, entry.image),
  onStep(runId: string, step: StepRecord) {
    const here = images.get(runId) === image && step.name === name && (step.platform ?? '') === platform;
    if (here && step.state === state) process.kill(process.pid, 'SIGKILL');
  },
  close() {},
});

for (const run of runs) process.stderr.write(`${run.image}: ${run.outcome}: ${run.summary}\n`);
