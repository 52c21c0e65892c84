import { utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuilderError, BuildRequest } from '../../src/builder/builder.ts';
import { createBuildKit } from '../../src/builder/buildkit.ts';
import type { Digest } from '../../src/domain/digest.ts';
import { atDigest, type Reference } from '../../src/domain/reference.ts';
import { exec } from '../../src/lib/exec.ts';
import { stampByContent } from '../../src/lib/stamp.ts';
import { BUSYBOX, type BuilderScene, startBuilderScene } from '../support/builder-scene.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';

const NOWHERE = `sha256:${'0'.repeat(64)}` as Digest;
const PLATFORM = 'linux/amd64';

let scene: BuilderScene;
let base: Reference & { digest: Digest };

beforeAll(async () => {
  scene = await startBuilderScene();
  base = await scene.image('base', { Dockerfile: BUSYBOX });
});
afterAll(() => scene?.stop());

describe('build', () => {
  it('gives the same digest twice without cache', async () => {
    const dockerfile = 'FROM base:1\nRUN mkdir /a && date > /dev/null && echo x > /a/b && touch /a/c\nLABEL a=b\n';

    const first = await build(dockerfile, { fresh: true });
    const second = await build(dockerfile, { fresh: true });

    expect(second.digest).toBe(first.digest);
    expect(second.lines).toEqual(first.lines);
  });

  it('takes no file of another build for its own, although name, size and time are the same', async () => {
    const build = async (instruction: string, file: string) => {
      const source = await scene.context({ Dockerfile: `FROM base:1\n${instruction}\n`, file, fill: 'xxx' });
      for (const name of ['file', 'fill', 'Dockerfile'])
        await utimes(join(source.context, name), 1_600_000_000, 1_600_000_000);
      await stampByContent(join(source.context, 'file'), 1_600_000_000);
      return scene.builder.build({ ...(await requestOf('')), ...source });
    };

    const built = [
      await build('COPY file /to', 'one'),
      await build('COPY file /to', 'two'),
      await build('COPY fill /to', 'two'),
    ];

    expect(new Set(built).size).toBe(3);
  });

  it('replaces an image as written by its pin, whatever the form', async () => {
    const written = `registry.example/acme/base:1.2@${NOWHERE}`;
    const dockerfile = `FROM ${written}\nCOPY --from=docker.io/acme/tools /bin/busybox /tools\nRUN test -f /tools\n`;

    const { digest } = await build(dockerfile, { pins: { [written]: base, 'docker.io/acme/tools:latest': base } });

    expect(await manifestOf('golden/app', digest)).toMatchObject({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
    });
  });

  it('writes annotations as given, and the epoch as creation time', async () => {
    const annotations = { 'org.example.title': 'a, "b" = c', 'org.example.lines': ' spaced \n' };

    const { digest } = await build('FROM base:1\nLABEL x=y\n', { annotations });

    const manifest = await manifestOf('golden/app', digest);
    const config = await get(`golden/app/blobs/${manifest.config.digest}`);
    expect(manifest.annotations).toEqual(annotations);
    expect(config.created).toBe('2023-11-14T22:13:20Z');
  });

  it('refuses an annotation that buildctl would change', async () => {
    expect(await failure('FROM base:1\n', { annotations: { Mixed: 'x' } })).toMatchObject({ code: 'usage' });
  });

  it('ignores a line that names another frontend', async () => {
    const { digest } = await build('# syntax=docker.invalid/dockerfile:1\nFROM base:1\nRUN true\n');

    expect(digest).toMatch(/^sha256:/);
  });

  it('takes target and arguments', async () => {
    const dockerfile = 'ARG V\nFROM base:1 AS one\nARG V\nLABEL v=$V\nFROM base:1 AS two\n';

    const { digest } = await build(dockerfile, { target: 'one', args: { V: 'a b' } });

    const config = await get(`golden/app/blobs/${(await manifestOf('golden/app', digest)).config.digest}`);
    expect(config.config.Labels).toEqual({ v: 'a b' });
  });

  it('hands on the output line by line, and mounts secrets without leaving or printing them', async () => {
    const file = join(scene.folder, 'token');
    await writeFile(file, 'correct-horse-battery\n');
    const run =
      'RUN --mount=type=secret,id=token,required=true cat /run/secrets/token && wc -c < /run/secrets/token && echo größe >&2';

    const { digest, lines } = await build(`FROM base:1\n${run}\n`, { secrets: { token: file } });

    expect(lines.toSorted()).toEqual(['***', '22', 'größe']);
    expect(await everythingOf('golden/app', digest)).not.toContain('correct-horse-battery');
  });
});

describe('a build that fails', () => {
  it('shows the last lines of the failing step alone', async () => {
    const dockerfile = 'FROM base:1\nRUN echo earlier\nRUN seq 1 100; echo broken >&2; exit 42\n';

    const error = await failure(dockerfile);

    expect(error).toMatchObject({ code: 'build-failed', retryable: false, details: { exitCode: 42 } });
    expect(error.message).toBe('RUN seq 1 100; echo broken >&2; exit 42 failed with exit code 42');
    const log = error.details.log as string[];
    expect(log).toHaveLength(40);
    expect(log).toContain('100');
    expect(log).toContain('broken');
    expect(log).not.toContain('earlier');
  });

  it.each([
    ['a missing file', 'FROM base:1\nCOPY nothing /\n', 'build-failed', false],
    ['a mistake in the Dockerfile', 'FROM base:1\nFROOB\n', 'build-failed', false],
    [
      'a secret that is not given',
      'FROM base:1\nRUN --mount=type=secret,id=x,required=true true\n',
      'build-failed',
      false,
    ],
    [
      'a RUN that met a full disk',
      'FROM base:1\nRUN echo "write error: No space left on device"; exit 1\n',
      'no-space',
      true,
    ],
  ])('names %s', async (_, dockerfile, code, retryable) => {
    expect(await failure(dockerfile)).toMatchObject({ code, retryable });
  });

  it('names a base that is not there', async () => {
    const pins = { 'base:1': atDigest(scene.repository('nothing'), NOWHERE) };

    expect(await failure('FROM base:1\n', { pins })).toMatchObject({ code: 'base-not-found', retryable: false });
  });

  it.each([
    [401, 'unauthorised', false],
    [403, 'unauthorised', false],
    [429, 'rate-limited', true],
    [503, 'unavailable', true],
  ])('knows what a registry means by %i', async (status, code, retryable) => {
    const server = createServer((_, response) => response.writeHead(status).end()).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;

    const error = await failure('FROM base:1\n', {
      pins: { 'base:1': { registry, repository: 'x', digest: NOWHERE } },
    });

    server.close();
    expect(error).toMatchObject({ code, retryable });
  });

  it.each([
    [2, 'goes through when pushes of the same layer met'],
    [9, 'is given up when they meet each time'],
  ])('a push that is refused %d times %s', async (times) => {
    const proxy = await startFaultyProxy(scene.registry);
    const errors = [
      { code: 'DIGEST_INVALID', message: 'provided digest did not match uploaded content' },
      { code: 'MANIFEST_BLOB_UNKNOWN', message: 'blob unknown to registry', detail: { Digest: NOWHERE } },
    ];
    const isManifest = ({ method, path }: { method: string; path: string }) =>
      method === 'PUT' && path.includes('/manifests/');
    const headers = { 'content-type': 'application/json' };
    proxy.inject({ on: isManifest, times, answer: { status: 400, headers, body: JSON.stringify({ errors }) } });
    const builder = createBuildKit({
      buildctl: scene.buildctl,
      address: () => scene.address,
      insecureRegistries: [proxy.address, scene.registry],
      runtimeDirectory: scene.folder,
    });
    const push = { registry: proxy.address, repository: 'golden/raced' };

    const building = builder.build({ ...(await requestOf(`FROM base:1\nRUN echo raced ${times}\n`)), push });

    if (times < 3) expect(await building).toMatch(/^sha256:/);
    else await expect(building).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    expect(proxy.asked.filter((line) => line.startsWith('PUT') && line.includes('/manifests/'))).toHaveLength(3);
    await proxy.stop();
  });

  it('says that the daemon does not answer', async () => {
    const builder = createBuildKit({
      buildctl: scene.buildctl,
      address: () => `unix://${scene.folder}/nobody.sock`,
      insecureRegistries: [],
      runtimeDirectory: scene.folder,
    });

    const request = await requestOf('FROM base:1\n');
    await expect(builder.build(request)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    await expect(builder.platforms()).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });

  it('ends soon after it is cancelled, and its processes with it', async () => {
    const controller = new AbortController();
    const started = Promise.withResolvers<void>();
    const onLog = (line: string) => line === 'running' && started.resolve();
    const running = failure('FROM base:1\nRUN echo running; exec sleep 98765\n', { signal: controller.signal, onLog });
    await started.promise;

    const before = performance.now();
    controller.abort();
    const error = await running;

    expect(error).toMatchObject({ code: 'cancelled', retryable: false });
    expect(performance.now() - before).toBeLessThan(6_000);
    await expect.poll(() => processes('sleep 98765'), { timeout: 10_000 }).toBe(0);
  });
});

describe('platforms', () => {
  it('lists what the daemon can run, of those that are given to it', async () => {
    expect(await scene.builder.platforms()).toContain(PLATFORM);
  });

  it('leaves out platforms without a daemon', async () => {
    const builder = createBuildKit({
      buildctl: scene.buildctl,
      address: (platform) => (platform === PLATFORM ? scene.address : undefined),
      insecureRegistries: [],
      runtimeDirectory: scene.folder,
    });

    expect(await builder.platforms()).toEqual([PLATFORM]);
  });
});

async function requestOf(dockerfile: string, more: Partial<BuildRequest> = {}): Promise<BuildRequest> {
  const source = await scene.context({ Dockerfile: dockerfile });
  const push = scene.repository('golden/app');
  return { ...source, platform: PLATFORM, pins: { 'base:1': base }, epoch: 1_700_000_000, push, ...more };
}

async function build(
  dockerfile: string,
  more: Partial<BuildRequest> = {},
): Promise<{ digest: Digest; lines: string[] }> {
  const lines: string[] = [];
  const digest = await scene.builder.build({
    onLog: (line) => lines.push(line),
    ...(await requestOf(dockerfile, more)),
  });
  return { digest, lines };
}

async function failure(dockerfile: string, more: Partial<BuildRequest> = {}): Promise<BuilderError> {
  return build(dockerfile, more).then(
    () => expect.unreachable('the build should fail'),
    (error) => error,
  );
}

async function get(path: string): Promise<Answer> {
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  return (await fetch(`http://${scene.registry}/v2/${path}`, { headers: { accept } })).json() as Promise<Answer>;
}

/** The parts of manifests and configs that are looked at. */
interface Answer {
  readonly annotations?: Record<string, string>;
  readonly created?: string;
  readonly config: { readonly digest: string; readonly mediaType: string; readonly Labels?: Record<string, string> };
  readonly layers: readonly { readonly digest: string; readonly mediaType: string }[];
}

function manifestOf(repository: string, digest: Digest) {
  return get(`${repository}/manifests/${digest}`);
}

/** Manifest, config and all layers unpacked, as one text. */
async function everythingOf(repository: string, digest: Digest): Promise<string> {
  const manifest = await manifestOf(repository, digest);
  const blobs = await Promise.all(
    [manifest.config, ...manifest.layers].map(async (blob: { digest: string; mediaType: string }) => {
      const response = await fetch(`http://${scene.registry}/v2/${repository}/blobs/${blob.digest}`);
      const body = blob.mediaType.endsWith('gzip')
        ? response.body!.pipeThrough(new DecompressionStream('gzip'))
        : response.body;
      return Buffer.from(await new Response(body).arrayBuffer()).toString('latin1');
    }),
  );
  return JSON.stringify(manifest) + blobs.join('');
}

async function processes(command: string): Promise<number> {
  const { stdout } = await exec('ps', ['-eo', 'args']);
  return stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => line === command).length;
}
