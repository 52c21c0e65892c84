import type { Image, Settings } from '../../src/domain/fleet/model.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import { type Places, placesBelow } from '../../src/domain/places.ts';
import { atDigest, atTag, type Reference } from '../../src/domain/reference.ts';
import type { StageDeps } from '../../src/flows/stages.ts';
import { createGateRunner } from '../../src/gates/by-kind.ts';
import { createCommandGate } from '../../src/gates/command.ts';
import { createAttestor } from '../../src/signer/attestor.ts';
import { createKeySigner, generateKeyPair } from '../../src/signer/key.ts';
import { fleetFiles } from './fleet-files.ts';
import { pushImage } from './images.ts';
import type { StandingScene } from './standing-scene.ts';

/** One image with its releases, and a clock that a test sets. */
export interface StageScene {
  readonly image: Image;
  readonly deps: StageDeps & { readonly places: Places; readonly settings: Settings };
  readonly repository: Reference;
  setTime(time: string): void;
  /** Signs a release and moves its version, the line and the channels to it; the time is that of the clock. */
  release(version: string, options?: ReleaseOptions): Promise<void>;
  /** Version that a tag points to. */
  at(tag: string): Promise<string | undefined>;
}

export interface ReleaseOptions {
  readonly channels?: readonly string[];
  readonly signed?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function createStageScene(scene: StandingScene, name: string, ingotYaml: string): StageScene {
  const texts = { 'ingot.yaml': `fleet: acme\n${ingotYaml}`, 'images/base/image.yaml': BASE };
  const fleet = parseFleet(fleetFiles(texts));
  const image = fleet.images[0]!;
  const places = placesBelow({ registry: scene.repository('x').registry, path: name });
  const repository = places.release(image.name);
  const { registry, ledger } = scene;
  const attestor = createAttestor({ registry, signer: createKeySigner(generateKeyPair().privateKey) });
  const command = createCommandGate({ root: '/' });
  let now = new Date('2026-03-01T00:00:00Z');
  const gates = createGateRunner({ command, webhook: command, consumer: command });
  const deps = { registry, ledger, places, settings: fleet.settings, attestor, gates, now: () => now };
  return {
    ...{ image, deps, repository },
    setTime(time) {
      now = new Date(time);
    },
    async release(version, { channels = [], signed = true, annotations = {} } = {}) {
      for (const tag of [version, ...channels, image.line]) {
        await pushImage(registry, atTag(repository, tag), {
          platforms: ['linux/amd64', 'linux/arm64'],
          files: { 'etc/edition': version },
          annotations: {
            'org.opencontainers.image.version': version,
            'org.opencontainers.image.created': now.toISOString(),
            'io.ingot.inputs.digest': `sha256:${'1'.repeat(64)}`,
            ...annotations,
          },
        });
      }
      const head = await registry.head(atTag(repository, version));
      if (signed) await attestor.sign(atDigest(repository, head!.digest), { createdAt: now.toISOString() });
    },
    async at(tag) {
      const stored = await registry.manifest(atTag(repository, tag));
      if (stored === undefined) return undefined;
      return JSON.parse(Buffer.from(stored.bytes).toString('utf8')).annotations['org.opencontainers.image.version'];
    },
  };
}

const BASE = 'line: "12"\nfrom: debian:12-slim\nuser: 10001\n';
