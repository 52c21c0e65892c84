import type { App } from '../../src/compose.ts';
import { architectureOf, type Platform } from '../../src/domain/platform.ts';
import { parseReference } from '../../src/domain/reference.ts';
import { ensureEmulation } from '../../src/embedded/binfmt.ts';
import { readMirrors } from './apt-sources.ts';
import { type BaseEdition, makeBase, SUITE } from './base.ts';
import { publishBase } from './publish.ts';

/** The upstream of the sample fleet, as its definition names it. */
export const UPSTREAM = 'docker.io/library/debian:12-slim';

/** The release as it was, and the same with what the security team and the maintainers published since. */
const EDITIONS = [
  { name: 'night-1', epoch: Date.UTC(2026, 10, 1) / 1000, suites: ['main'] },
  { name: 'night-2', epoch: Date.UTC(2026, 10, 22) / 1000, suites: ['main', 'updates', 'security'] },
] as const satisfies readonly BaseEdition[];

const PLATFORMS: readonly Platform[] = ['linux/amd64', 'linux/arm64'];

export interface Upstream {
  /** Moves the upstream's tag to an edition. */
  publish(app: App, edition: (typeof EDITIONS)[number]['name']): Promise<void>;
}

/** Makes both editions for both platforms; cached, since they cost minutes. */
export async function makeUpstream(cache: string): Promise<Upstream> {
  const emulation = await ensureEmulation('linux/arm64');
  if (!emulation.ready) throw new Error(`arm64 programs cannot run here: ${emulation.why}; ${emulation.remedy}`);
  const mirrors = await readMirrors(SUITE);
  const tars = new Map<string, string>();
  for (const edition of EDITIONS) {
    for (const platform of PLATFORMS) {
      tars.set(`${edition.name} ${platform}`, await makeBase(edition, architectureOf(platform), { mirrors, cache }));
    }
  }
  return {
    async publish(app, name) {
      const edition = EDITIONS.find((each) => each.name === name)!;
      const platforms = PLATFORMS.map((platform) => ({ platform, tar: tars.get(`${name} ${platform}`)! }));
      await publishBase(app.registry, app.cycle.sourceOf(parseReference(UPSTREAM)), {
        epoch: edition.epoch,
        platforms,
      });
    },
  };
}
