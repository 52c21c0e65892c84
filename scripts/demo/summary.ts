import { writeFile } from 'node:fs/promises';
import type { CycleReport } from '../../src/commands/run-report.ts';
import type { App } from '../../src/compose.ts';
import { repositoryOf } from '../../src/domain/reference.ts';

/** What the demo did, for programs: every number in it can be computed again from registry and repository. */
export async function writeSummary(
  path: string,
  app: App,
  nights: readonly CycleReport[],
  signal: AbortSignal,
): Promise<void> {
  const downstreams = await app.downstreams.list(signal);
  const pulls = await Promise.all(downstreams.map((repository) => repository.pulls({}, { signal })));
  const { registry, repository } = app.places.release('');
  const summary = {
    registry: repositoryOf({ registry, repository: repository.replace(/\/$/, '') }),
    publicKey: app.publicKey,
    nights: nights.map(({ runs, seconds, ownSeconds }) => ({
      runs: runs.map(({ image, reasons, outcome, version, digest, platforms }) => ({
        image,
        reasons,
        outcome,
        version,
        digest,
        platforms,
      })),
      seconds,
      ownSeconds,
    })),
    pulls: pulls.flat().map(({ repository: name, branch, title, body }) => ({ repository: name, branch, title, body })),
  };
  await writeFile(path, `${JSON.stringify(summary, null, 2)}\n`);
}
