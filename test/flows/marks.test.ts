import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Mark } from '../../src/domain/marks.ts';
import { addMark, readMarks } from '../../src/flows/marks.ts';
import { createHttp, type Http } from '../../src/lib/http.ts';
import { createRegistry } from '../../src/registry/oci.ts';
import { startDistribution, startReferrersRegistry, type TestRegistry } from '../support/registry.ts';

const pause: Mark = { kind: 'pause', at: '2026-01-02T00:00:00.000Z', by: 'ada', reason: 'a move of the data centre' };
const resume: Mark = { kind: 'resume', at: '2026-01-03T00:00:00.000Z', by: 'ben' };

describe.each([
  ['a registry that knows no referrers', () => startDistribution()],
  ['a registry that lists referrers', startReferrersRegistry],
])('marks in %s', (_name, startServer) => {
  let server: TestRegistry;
  let http: Http;
  beforeAll(async () => {
    server = await startServer();
    http = createHttp({ connectionsPerHost: 4, userAgent: 'test', timeoutMs: 10_000 });
  });
  afterAll(async () => {
    await Promise.all([http.close(), server.stop()]);
  });

  function setUp(repository: string) {
    return { registry: createRegistry({ http }), repository: { registry: server.address, repository } };
  }

  test('are read in the order of their times, each once', async () => {
    const { registry, repository } = setUp('golden/python');

    for (const mark of [resume, pause, pause]) await addMark(registry, repository, mark, {});

    expect(await readMarks(registry, repository, {})).toEqual([pause, resume]);
  });

  test('of an image without any are none', async () => {
    const { registry, repository } = setUp('golden/other');

    expect(await readMarks(registry, repository, {})).toEqual([]);
  });
});
