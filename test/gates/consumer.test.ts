import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Digest } from '../../src/domain/digest.ts';
import { atTag, parseReference, type Reference } from '../../src/domain/reference.ts';
import { createConsumerGate } from '../../src/gates/consumer.ts';
import type { GateSubject } from '../../src/gates/gates.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { BUSYBOX, type BuilderScene, startBuilderScene } from '../support/builder-scene.ts';
import { gate } from './support.ts';

let scene: BuilderScene;
let http: Http;
let candidate: Reference & { digest: Digest };

beforeAll(async () => {
  scene = await startBuilderScene();
  http = createHttp({ connectionsPerHost: 2, userAgent: 'test', timeoutMs: 10_000 });
  candidate = await scene.image('staging/base', {
    Dockerfile: `${BUSYBOX}COPY edition /edition\n`,
    edition: 'candidate',
  });
  const tools = await scene.image('upstream/tools', { Dockerfile: `${BUSYBOX}COPY tool /tool\n`, tool: 'x' });
  const registry = createRegistry({ http });
  const stored = await registry.manifest(tools);
  await registry.putManifest(atTag(tools, '1'), { mediaType: stored!.descriptor.mediaType, bytes: stored!.bytes });
});
afterAll(async () => {
  await Promise.all([http?.close(), scene?.stop()]);
});

async function ask(dockerfile: string, timeoutSeconds = 60) {
  const { context } = await scene.context({ Dockerfile: dockerfile });
  const subject: GateSubject = {
    ...{ image: 'base', version: '12.0.1', reference: candidate, reasons: [] },
    platforms: { 'linux/amd64': candidate.digest },
    repository: scene.repository('acme/base'),
  };
  const runner = createConsumerGate({
    ...{ root: scene.folder, builder: scene.builder, registry: createRegistry({ http }) },
    sourceOf: ({ tag = 'latest' }) => parseReference(`${scene.registry}/upstream/tools:${tag}`),
    pushTo: () => scene.repository('staging/base'),
  });
  const test = { kind: 'consumer' as const, context, dockerfile: 'Dockerfile' };
  return runner.ask(gate(test, { timeoutSeconds }), subject, {});
}

describe('a consumer as gate', () => {
  test.each([
    ['as the fleet names it', () => 'golden/base'],
    ['as downstreams name it, tag and digest and all', () => `${scene.registry}/acme/base:12@sha256:${'0'.repeat(64)}`],
  ])('is built on the candidate, %s', async (_name, from) => {
    const dockerfile = `FROM ${from()}\nCOPY --from=acme/tools:1 /tool /tool\nRUN grep candidate /edition && test -f /tool\n`;

    expect(await ask(dockerfile)).toEqual({ passed: true, message: 'built for linux/amd64' });
  });

  test('refuses with the last lines of its build', async () => {
    const { passed, message } = await ask('FROM golden/base\nRUN echo no python here && exit 7\n');

    expect(passed).toBe(false);
    expect(message).toContain('no python here');
  });

  test('that takes too long refuses', async () => {
    expect(await ask('FROM golden/base\nRUN sleep 30\n', 2)).toEqual({
      passed: false,
      message: 'took longer than 2 s',
    });
  });

  test.each([
    ['is not built on the image', 'FROM acme/tools:1\n', 'names no base to build on'],
    ['uses what does not exist', 'FROM golden/base\nCOPY --from=acme/tools:9 / /x\n', 'does not exist'],
    ['names an image that nobody can know', 'ARG X\nFROM golden/base\nCOPY --from=$X / /x\n', 'cannot be pinned'],
  ])('that %s is a mistake', async (_name, dockerfile, words) => {
    await expect(ask(dockerfile)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(words),
    });
  });
});
