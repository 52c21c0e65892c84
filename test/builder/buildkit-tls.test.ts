import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { BuilderError } from '../../src/builder/builder.ts';
import { createBuildKit } from '../../src/builder/buildkit.ts';
import { type Embedded, startEmbedded } from '../../src/embedded/embedded.ts';
import { BUSYBOX } from '../support/builder-scene.ts';
import { type Certificates, startTlsBuilder, type TlsBuilder } from '../support/tls-builder.ts';

let folder: string;
let embedded: Embedded;
let daemon: TlsBuilder;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-tls-test-'));
  embedded = await startEmbedded({ dataDirectory: folder, needs: { registry: true } });
  daemon = await startTlsBuilder(embedded.registry!);
  await writeFile(join(folder, 'Dockerfile'), `${BUSYBOX}RUN echo built > /built\n`);
  await copyFile('/bin/busybox', join(folder, 'busybox'));
}, 60_000);
afterAll(async () => {
  await daemon?.stop();
  await embedded?.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

it('builds on a daemon that asks for certificates, with the right ones', async () => {
  const { builder, request } = builderWith(daemon.client);

  expect(await builder.platforms()).toContain('linux/amd64');
  expect(await builder.build(request)).toMatch(/^sha256:/);
});

it.each([
  ['no certificate', () => undefined, /asks for a certificate; set "ca", "cert" and "key"/],
  ['one of another authority', () => daemon.stranger, /of an authority that it does not know/],
  ['one that has expired', () => daemon.expired, /the certificate has expired/],
  [
    'a daemon of another authority',
    () => ({ ...daemon.client, ca: daemon.stranger.cert }),
    /unknown authority"; check "ca"/,
  ],
  [
    'a file that is not there',
    () => ({ ...daemon.client, key: '/nowhere/key.pem' }),
    /nowhere.key.pem: no such file.*; check "ca"/,
  ],
])('says which certificates are wrong, and does not try again: %s', async (_, tls, message) => {
  const { builder, request } = builderWith(tls());

  const error = (await builder.build(request).catch((each: unknown) => each)) as BuilderError;
  const listing = (await builder.platforms().catch((each: unknown) => each)) as BuilderError;

  expect(error).toMatchObject({ code: 'unauthorised', retryable: false, message: expect.stringMatching(message) });
  expect(listing).toMatchObject({ code: 'unauthorised', message: expect.stringMatching(message) });
});

function builderWith(tls: Certificates | undefined) {
  const builder = createBuildKit({
    buildctl: join(import.meta.dirname, '..', '..', '.tools', 'bin', 'buildctl'),
    address: () => daemon.address,
    tls: () => tls,
    insecureRegistries: [embedded.registry!],
    runtimeDirectory: join(folder, 'builds'),
  });
  const push = { registry: embedded.registry!, repository: 'secured' };
  const source = { context: folder, dockerfile: join(folder, 'Dockerfile') };
  return { builder, request: { ...source, platform: 'linux/amd64', pins: {}, epoch: 1_700_000_000, push } as const };
}
