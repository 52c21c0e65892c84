import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '../../src/domain/digest.ts';
import type { ReleaseLookup, ReleaseToPropose } from '../../src/flows/propose.ts';
import { createFileStore } from '../../src/lib/file-store.ts';
import { createHttp } from '../../src/lib/http.ts';

/** What tests propose to downstreams: three releases of one image, of which the first is in use. */
export const image = 'registry.example.org/golden/debian';
export const branch = 'ingot/image/debian';

export const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
export const [A, B, C] = [digest('a'), digest('b'), digest('c')];

export function proposal(version: string, of: Digest): ReleaseToPropose {
  const about = { image: 'debian', repository: image, line: '12', version, digest: of };
  return { ...about, reasons: ['its base debian:12 moved'] };
}
export const [second, third] = [proposal('12.0.1', B), proposal('12.0.2', C)];

export const lookup: ReleaseLookup = {
  identify: async (of) => ({ [A]: { version: '12.0.0' }, [B]: { version: '12.0.1' } })[of],
  content: async () => undefined,
};

/** The way to a forge, what was asked on it, and a folder of what is kept of that. */
export async function openWay() {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-forges-'));
  const requests: string[] = [];
  const real = createHttp({ connectionsPerHost: 8, userAgent: 'test', timeoutMs: 30_000 });
  const http: typeof real = {
    ...real,
    request(url, request) {
      requests.push(`${request.method} ${new URL(url).pathname}`);
      return real.request(url, request);
    },
  };
  return {
    ...{ folder, requests, http },
    store: createFileStore({ directory: folder, maxBytes: 1_000_000 }),
    async close() {
      await real.close();
      await rm(folder, { recursive: true });
    },
  };
}
