import { planFleet } from '../src/domain/plan.ts';
import { planLines } from '../src/domain/plan-tree.ts';
import { viewPlan } from '../src/domain/plan-view.ts';
import { lookAhead } from '../src/domain/waves-ahead.ts';
import { supposeMoved, upstreamNames } from '../src/domain/what-if.ts';
import { generatedImages } from '../test/support/generated-images.ts';
import { releasedFacts, upstreamOf } from '../test/support/released-facts.ts';

/** How long the pure part of a plan takes: `node bench/plan.ts`. */
for (const count of [250, 500, 1000, 2000]) {
  const images = generatedImages(count);
  const fresh = releasedFacts(images);
  const moved = new Map(upstreamNames(images).map((name) => [name, known(name)]));
  const stale = supposeMoved(fresh, moved);
  const times = {
    fresh: medianOf(() => planFleet(fresh)),
    stale: medianOf(() => planFleet(stale)),
    waves: medianOf(() => lookAhead(stale)),
    text: medianOf(() => planLines(viewPlan(images, lookAhead(stale), new Set()), { all: true })),
  };
  const shown = Object.entries(times).map(([name, ms]) => `${name} ${ms.toFixed(1)} ms`);
  process.stdout.write(`${count} images: ${shown.join(', ')}\n`);
}

function known(name: string) {
  const upstream = upstreamOf(`${name} moved`, ['linux/amd64', 'linux/arm64']);
  if (upstream.state !== 'known') throw new Error('an upstream is always known here');
  return upstream.value;
}

function medianOf(work: () => unknown, rounds = 7): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}
