import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { atDigest, atTag } from '../../src/domain/reference.ts';
import { type EmbeddedOptions, startEmbedded } from '../../src/embedded/embedded.ts';
import { sendSignal } from '../../src/embedded/processes.ts';
import { putArtifact } from '../../src/image/artifact.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { pushImage } from '../support/images.ts';
import { startElsewhere, temporaryDirectory } from './support.ts';

let data: string;
let remove: () => Promise<void>;
let http: Http;
const running: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  ({ path: data, remove } = await temporaryDirectory());
  http = createHttp({ connectionsPerHost: 4, userAgent: 'ingot-test', timeoutMs: 30_000 });
});
afterEach(async () => {
  await http.close();
  await Promise.all(running.splice(0).map((each) => each.close()));
  await remove();
});

async function start(options: Partial<EmbeddedOptions> = {}) {
  const embedded = await startEmbedded({ dataDirectory: data, needs: { registry: true }, ...options });
  running.push(embedded);
  return embedded;
}

/** An image with something that refers to it, without a tag; and one that was removed. */
async function fill(address: string) {
  const registry = createRegistry({ http });
  const repository = { registry: address, repository: 'golden/base' };
  const push = (name: string) => {
    const image = { platforms: ['linux/amd64'] as const, files: { name } };
    return pushImage(registry, atTag(repository, name), { ...image, platforms: [...image.platforms] });
  };
  const [kept, gone] = [await push('kept'), await push('gone')];
  const subject = (await registry.head(atDigest(repository, kept.digest)))!;
  const layer = { mediaType: 'text/plain', content: Buffer.from('signed') };
  const about = { artifactType: 'application/x.signature', layers: [layer], annotations: {}, subject };
  await putArtifact(registry, repository, about, {});
  const lost = (await registry.manifest(atDigest(repository, gone.digest)))!;
  await registry.remove(atDigest(repository, gone.digest));
  const blobs = (bytes: Uint8Array) => {
    const { config, layers } = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return [config, ...layers];
  };
  const has = (blob: { digest: `sha256:${string}`; size: number; mediaType: string }) =>
    registry.hasBlob(repository, blob);
  return {
    registry,
    lost: () => Promise.all(blobs(lost.bytes).map(has)),
    async kept() {
      const [referrer] = await registry.referrers(atDigest(repository, kept.digest));
      const manifests = [kept.digest, referrer!.digest].map((digest) =>
        registry.manifest(atDigest(repository, digest)),
      );
      const all = (await Promise.all(manifests)).flatMap((stored) => blobs(stored!.bytes));
      return Promise.all(all.map(has));
    },
  };
}

test('what no manifest needs goes, and what has no tag stays', async () => {
  const embedded = await start();
  const { lost, kept } = await fill(embedded.registry!);
  expect(await lost()).toContain(true);

  expect(await embedded.collectGarbage!()).toBe('done');

  expect(new Set(await lost())).toEqual(new Set([false]));
  expect(new Set(await kept())).toEqual(new Set([true]));
  await expect(access(join(data, 'registry', 'collect'))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the registry of another process collects when it is started next, also after a kill', async () => {
  const other = await startElsewhere(data, ['registry']);
  const embedded = await start();
  const { lost, kept } = await fill(embedded.registry!);

  expect(await embedded.collectGarbage!()).toBe('later');
  expect(await lost()).toContain(true);
  sendSignal(other.pid, 'SIGKILL');

  // It is away for a moment
  await expect.poll(() => lost().catch(() => [true]), { timeout: 20_000 }).not.toContain(true);
  expect(new Set(await kept())).toEqual(new Set([true]));
});

test('a collection that fails keeps nobody from the registry, and is tried again', async () => {
  const lines: string[] = [];
  const program = join(data, 'failing');
  const script = '[ "$1" = garbage-collect ] && { echo "the disk is gone" >&2; exit 1; }\nexec docker-registry "$@"\n';
  await writeFile(program, `#!/bin/sh\n${script}`, { mode: 0o755 });
  const embedded = await start({ log: (line) => lines.push(line), findTool: async () => program });

  expect(await embedded.collectGarbage!()).toBe('later');

  expect(lines).toEqual([
    'the embedded registry could not collect its garbage, and tries again when it starts next: the disk is gone',
  ]);
  expect((await fetch(`http://${embedded.registry}/v2/`)).status).toBe(200);
});
