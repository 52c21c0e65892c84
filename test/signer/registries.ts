import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';

export const REGISTRIES = [{ name: 'distribution 2.8 (fallback index)', start: startDistribution }];

async function startDistribution() {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-registry-'));
  const config = join(folder, 'config.yml');
  await writeFile(
    config,
    `version: 0.1\nlog: { level: info }\nstorage: { filesystem: { rootdirectory: ${folder}/data } }\nhttp: { addr: 127.0.0.1:0 }\n`,
  );
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string>();
  const onStderr = (line: string) => {
    const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
    if (address !== undefined) resolve(address);
  };
  const run = exec('docker-registry', ['serve', config], { onStderr, onStdout: onStderr, signal: controller.signal });
  const ended = run.then(
    () => undefined,
    () => undefined,
  );
  const address = await Promise.race([promise, run.then(({ stderr }) => Promise.reject(new Error(stderr)))]);
  return {
    address,
    async stop() {
      controller.abort();
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}
