import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Digest } from '../../src/domain/digest.ts';
import { proposeImage } from '../../src/flows/propose.ts';
import { withCache } from '../../src/forge/cached.ts';
import { createGithubForge } from '../../src/forge/github.ts';
import { createFileStore } from '../../src/lib/file-store.ts';
import { createHttp } from '../../src/lib/http.ts';
import { type FakeRepository, mergePull } from '../../test/support/github/repository.ts';
import { GITHUB_TOKEN, startGithub } from '../../test/support/github.ts';
import { SAMPLES } from './generated.ts';

const AT_ONCE = 8;
const CACHE_BYTES = 512 * 1024 * 1024;

/** Many repositories of a loopback GitHub: the first look opens pull requests, the second finds nothing changed. */
export async function lookTwice(count: number) {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-bench-looks-'));
  const github = await startGithub();
  let requests = 0;
  const real = createHttp({ connectionsPerHost: 8, userAgent: 'ingot-bench', timeoutMs: 60_000 });
  const http: typeof real = {
    ...real,
    request(url, request) {
      requests += 1;
      return real.request(url, request);
    },
  };
  const files = Object.fromEntries(SAMPLES.map(({ path, text }) => [path, text]));
  const names = Array.from({ length: count }, (_, index) => `acme/shop${index}`);
  const limit = pLimit(AT_ONCE);
  try {
    const made = new Map<string, FakeRepository>();
    await Promise.all(names.map((name) => limit(async () => made.set(name, await github.repository(name, files)))));
    const look = async (label: string) => {
      const forge = createGithubForge({
        ...{ url: github.url, credential: { token: GITHUB_TOKEN }, tokenName: 'GITHUB_TOKEN', http },
        ...{ sleep: async (ms: number) => void (await setTimeout(ms)), now: () => new Date() },
      });
      const store = createFileStore({ directory: join(folder, 'cache'), maxBytes: CACHE_BYTES });
      const before = requests;
      const started = performance.now();
      const actions = await Promise.all(
        names.map((name) =>
          limit(async () => {
            const repository = withCache(forge.repository(name), github.url, store);
            return (await proposeImage({ repository, release: RELEASE, lookup: NOTHING_KNOWN, signal: NEVER })).action;
          }),
        ),
      );
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      const by = Object.fromEntries(
        [...Map.groupBy(actions, (each) => each)].map(([key, { length }]) => [key, length]),
      );
      return { label, seconds, requests: requests - before, actions: by };
    };
    const first = await look('first: every repository gets its pull request');
    const second = await look('second: all of them are open');
    await Promise.all(names.map((name) => limit(() => mergeAll(made.get(name)!))));
    const third = await look('third: all were merged, ingot removes its branches');
    return [first, second, third, await look('fourth: nothing changed, nothing open')];
  } finally {
    await http.close();
    await github.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function mergeAll(repository: FakeRepository): Promise<void> {
  for (const pull of repository.pulls) await mergePull(repository, pull);
}

const NEVER = new AbortController().signal;
const DIGEST: Digest = `sha256:${'b'.repeat(64)}`;
const RELEASE = {
  ...{ image: 'node', repository: 'registry.acme.example/golden/node', line: '22' },
  ...{ version: '22.1.1', digest: DIGEST, reasons: ['its base moved'] },
};
const NOTHING_KNOWN = { identify: async () => undefined, content: async () => undefined };
