import { inputsDigest } from '../domain/inputs.ts';
import { summarise, type ViewedImage } from '../domain/plan-view.ts';
import { explainHold, explainReason } from '../domain/reasons.ts';
import type { WhatIf } from '../flows/what-if.ts';

/** `plan --json`, as docs/plan.md describes it. Keys may be added, never changed. */
export function planReport(views: readonly ViewedImage[], whatIf: WhatIf | undefined) {
  return {
    summary: summarise(views),
    images: views.map(toImage),
    ...(whatIf && { whatIf: toWhatIf(whatIf, views) }),
  };
}

function toImage({ entry, wave, because, image, parents, upstreams, platforms }: ViewedImage) {
  const { state, reasons, holds, unknown, doubts, release, inputs, notes } = entry;
  return {
    image,
    state,
    ...(wave && { wave }),
    parents,
    upstreams,
    platforms,
    ...(release && { version: release.version, digest: release.digest }),
    ...(inputs && { inputsDigest: inputsDigest(inputs) }),
    because,
    reasons: reasons.map((reason) => ({ ...reason, text: explainReason(reason) })),
    holds: holds.map((hold) => ({ ...hold, text: explainHold(hold) })),
    ...(unknown && { unknown }),
    ...(doubts && { doubts }),
    ...(notes && { notes }),
  };
}

function toWhatIf({ upstreams, estimate, pulls, notes }: WhatIf, views: readonly ViewedImage[]) {
  const rebuilt = views.filter(({ wave }) => wave !== undefined);
  const waves = Map.groupBy(rebuilt, ({ wave }) => wave!);
  return {
    upstreams,
    images: rebuilt.length,
    builds: rebuilt.reduce((sum, { platforms }) => sum + platforms.length, 0),
    waves: [...waves].sort(([a], [b]) => a - b).map(([, wave]) => wave.map(({ image }) => image)),
    ...(estimate && {
      estimate: {
        minutes: minutesOf(estimate.milliseconds),
        platforms: estimate.platforms.map(({ platform, builds, milliseconds }) => {
          return { platform, builds, minutes: minutesOf(milliseconds) };
        }),
        guessed: estimate.guessed,
      },
    }),
    pulls,
    notes,
  };
}

function minutesOf(milliseconds: number): number {
  return Math.round(milliseconds / 6_000) / 10;
}
