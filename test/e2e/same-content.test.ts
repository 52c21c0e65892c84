import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { diffCommand } from '../../src/commands/diff.ts';
import { runOnce } from '../../src/commands/run-once.ts';
import { cycleReport } from '../../src/commands/run-report.ts';
import { type FleetScene, startFleetScene, type TestFactory } from '../support/fleet-scene.ts';
import { runFleet, SILENT, withFleet } from '../support/run-fleet.ts';

const signal = new AbortController().signal;
let scene: FleetScene;
let factory: TestFactory;
beforeAll(async () => {
  scene = await startFleetScene();
  factory = await scene.factory('same', { only: 'base' });
  await factory.publish('first');
  await factory.write({ 'images/base/image.yaml': 'line: "12"\nplatforms: [linux/amd64]\n' });
  await copyFile('/bin/busybox', join(factory.root, 'images/base/context/busybox'));
  await writesRandomly('/var/log/build.log');
});
afterAll(() => scene?.stop());

/** A Dockerfile that is not reproducible: each build writes something else. */
const writesRandomly = (path: string) =>
  factory.write({
    'images/base/Dockerfile': `FROM debian:12-slim
COPY motd /etc/motd
COPY --chmod=755 busybox /bin/busybox
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox mkdir -p /var/log && /bin/busybox cat /proc/sys/kernel/random/uuid > ${path}"]
USER 10001
`,
  });

const rebuild = () =>
  withFleet(factory.root, async (app) => {
    const requested = new Map([['base', { by: 'test', at: new Date().toISOString() }]]);
    const result = await runOnce({ ...app, cycle: { ...app.cycle, requested } }, SILENT, signal);
    return cycleReport(result, app.ledger, { startedAt: 0, endedAt: 0 });
  });

test('a rebuild that differs in a log alone is unchanged, and the plan finds it fresh', async () => {
  await runFleet(factory.root);

  const { runs } = await rebuild();
  const after = await runFleet(factory.root);

  expect(runs).toMatchObject([{ outcome: 'unchanged', version: '12.0.0' }]);
  expect(runs[0]?.summary).toContain('the same content as 12.0.0, only times and files that do not count');
  expect(runs[0]?.summary).toContain('/var/log/build.log');
  expect([after.runs, after.plan[0]?.state]).toEqual([[], 'fresh']);
});

test('a rebuild that differs in a file that counts is released, and the file is named', async () => {
  await writesRandomly('/etc/build-date');
  const changed = await runFleet(factory.root);

  const { runs } = await rebuild();

  expect(changed.runs[0]?.summary).not.toContain('although');
  expect(runs).toMatchObject([{ outcome: 'released', differs: ['/etc/build-date'] }]);
  expect(runs[0]?.summary).toContain(
    `changed since ${changed.runs[0]?.version} although its inputs did not: /etc/build-date`,
  );
});

test('what differs between two releases can be asked, vulnerabilities included', async () => {
  const { document, tags } = await withFleet(factory.root, async (app) => {
    const documents: unknown[] = [];
    const output = { line: () => {}, json: (value: unknown) => void documents.push(value), progress: process.stderr };
    const options = { before: 'base:12.0.0', after: 'base', platforms: [], json: true, markdown: false, signal };
    await diffCommand(app, output, options);
    return { document: documents[0], tags: await app.registry.tags(factory.repository('base')) };
  });

  expect(tags).toContain('12.0.0');
  expect(document).toMatchObject({
    platforms: [
      {
        files: { added: ['/etc/build-date'], ignored: ['/var/log/build.log'] },
        packages: { from: 'sbom', changes: [] },
        vulnerabilities: { fixed: [], added: [] },
      },
    ],
  });
});
