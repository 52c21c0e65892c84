import { digestOf } from '../../src/domain/digest.ts';
import type { FleetFacts, Known, Upstream } from '../../src/domain/facts.ts';
import type { Image } from '../../src/domain/fleet/model.ts';
import type { Platform } from '../../src/domain/platform.ts';
import type { Release } from '../../src/domain/staleness.ts';
import { nextVersion } from '../../src/domain/version.ts';
import { lookAhead, supposeContent } from '../../src/domain/waves-ahead.ts';
import { upstreamNames, wantedPlatforms } from '../../src/domain/what-if.ts';

/** Facts of a fleet of which everything was just released. */
export function releasedFacts(images: readonly Image[]): FleetFacts {
  const upstreams = new Map(
    upstreamNames(images).map((name) => [name, upstreamOf(name, wantedPlatforms(name, images))] as const),
  );
  const empty: FleetFacts = { images, upstreams, releases: new Map(), builders: new Map(), runs: new Map() };
  const byName = new Map(images.map((image) => [image.name, image]));
  const releases = lookAhead(empty).waves.flatMap((wave) =>
    wave.map(({ image: name, inputs }): [string, Known<Release>] => {
      const image = byName.get(name)!;
      const version = nextVersion(image.line, [], []);
      return [name, { state: 'known', value: { ...supposeContent(image, inputs!), version, inputs: inputs! } }];
    }),
  );
  return { ...empty, releases: new Map(releases) };
}

export function upstreamOf(content: string, platforms: readonly Platform[]): Known<Upstream> {
  const children = platforms.map((platform) => [platform, digestOf(`${content} ${platform}`)]);
  const value = { digest: digestOf(content), platforms: Object.fromEntries(children), created: '2026-11-01T00:00:00Z' };
  return { state: 'known', value };
}
