import { type Digest, digestOf } from '../domain/digest.ts';
import type { Image } from '../domain/fleet/model.ts';
import { stagingTag } from '../domain/places.ts';
import type { Platform } from '../domain/platform.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import type { PlatformFacts, SmokeReport } from '../domain/verdict.ts';
import { readConfig } from '../image/config.ts';
import { type Registry, RegistryError } from '../registry/registry.ts';
import type { Cataloguer, Sbom, Scanner, ScanReport } from '../scanner/scanner.ts';
import { requireDigest } from './build.ts';
import { createEvidenceStore, type EvidenceStore } from './evidence.ts';

/** Reads what earlier steps left in staging; each answer is read once. */
export interface CandidateStore {
  readonly staging: Reference;
  readonly evidence: EvidenceStore;
  digest(platform: Platform, signal: AbortSignal): Promise<Digest>;
  digests(signal: AbortSignal): Promise<Readonly<Record<Platform, Digest>>>;
  sbom(platform: Platform, signal: AbortSignal): Promise<Sbom>;
  scanTag(platform: Platform, signal: AbortSignal): Promise<string>;
  scan(platform: Platform, signal: AbortSignal): Promise<ScanReport>;
  facts(platform: Platform, signal: AbortSignal): Promise<PlatformFacts>;
}

export interface CandidateDeps {
  readonly registry: Registry;
  readonly scanner: Scanner;
  readonly cataloguer: Cataloguer;
  readonly key: string;
  readonly staging: Reference;
}

export function createCandidateStore({ image }: { image: Image }, deps: CandidateDeps): CandidateStore {
  const { registry, key, staging } = deps;
  const evidence = createEvidenceStore(registry, staging);
  const once = memo();
  const store: CandidateStore = {
    staging,
    evidence,
    digest: (platform, signal) =>
      once(`digest ${platform}`, () =>
        requireDigest(registry, atTag(staging, stagingTag.build(key, platform)), signal),
      ),
    async digests(signal) {
      const found = image.platforms.map(async (platform) => [platform, await store.digest(platform, signal)] as const);
      return Object.fromEntries(await Promise.all(found));
    },
    sbom: (platform, signal) =>
      once(`sbom ${platform}`, async () =>
        present(await evidence.sbom(stagingTag.sbom(key, platform), { signal }), 'SBOM'),
      ),
    async scanTag(platform, signal) {
      const database = await once('database', () => deps.scanner.database(signal));
      return stagingTag.scan(key, platform, digestOf(database.id));
    },
    scan: (platform, signal) =>
      once(`scan ${platform}`, async () =>
        present(await evidence.scan(await store.scanTag(platform, signal), { signal }), 'vulnerability report'),
      ),
    async facts(platform, signal) {
      const digest = await store.digest(platform, signal);
      const { config, layers, size } = await readConfig(registry, atDigest(staging, digest), { signal });
      const [sbom, scan] = [await store.sbom(platform, signal), await store.scan(platform, signal)];
      const smoke = await readSmoke(image, platform, signal);
      const packages = deps.cataloguer.packages(sbom.native);
      return { platform, digest, config, size, layers: layers.length, packages, findings: scan.findings, smoke };
    },
  };
  const readSmoke = async (of: Image, platform: Platform, signal: AbortSignal): Promise<SmokeReport> => {
    if (of.smoke === undefined) return { results: [] };
    return present(await evidence.smoke(stagingTag.smoke(key, platform, of.smoke.digest), { signal }), 'smoke report');
  };
  return store;
}

function present<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new RegistryError(`the ${what} vanished from staging while the run was under way; run again`, {
    code: 'missing-content',
    retryable: true,
  });
}

/** Remembers answers, not failures. */
function memo() {
  const answers = new Map<string, Promise<unknown>>();
  return <T>(name: string, ask: () => Promise<T>): Promise<T> => {
    const known = answers.get(name) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const answer = ask();
    answers.set(name, answer);
    answer.catch(() => answers.delete(name));
    return answer;
  };
}
