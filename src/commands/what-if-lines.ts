import { shortDigest } from '../domain/digest.ts';
import type { Estimate } from '../domain/estimate.ts';
import { countOf, planLines } from '../domain/plan-tree.ts';
import type { ViewedImage } from '../domain/plan-view.ts';
import { familiarName } from '../domain/upstream.ts';
import type { PullPreview } from '../flows/pull-preview.ts';
import type { WhatIf } from '../flows/what-if.ts';

/** The blast radius of a move, as lines of text: the tree, the time, the pull requests. */
export function whatIfLines(
  views: readonly ViewedImage[],
  whatIf: WhatIf,
  options: { readonly all: boolean },
): readonly string[] {
  return [
    ...whatIf.upstreams.map(moveLine),
    ...whatIf.notes,
    '',
    ...planLines(views, options),
    ...timeLines(whatIf.estimate),
    ...pullLines(whatIf.pulls),
    'nothing was touched',
  ];
}

function moveLine({ name, from, to, tag }: WhatIf['upstreams'][number]): string {
  const now = from === undefined ? '' : ` from ${shortDigest(from)}`;
  const target = to === undefined ? 'to any other digest' : `to ${shortDigest(to)}`;
  if (tag !== undefined)
    return `if ${familiarName(name)} moved${now} to ${tag}${to === undefined ? '' : ` at ${shortDigest(to)}`}:`;
  return `if ${familiarName(name)} moved${now} ${target}:`;
}

function timeLines(estimate: Estimate | undefined): string[] {
  if (estimate === undefined) return ['no build was ever recorded, so that nobody knows how long it would take'];
  const { milliseconds, platforms, guessed } = estimate;
  const each = platforms.map((platform) => {
    return `${platform.platform} ${minutes(platform.milliseconds)} for ${countOf(platform.builds, 'build')}`;
  });
  const builds = platforms.reduce((sum, platform) => sum + platform.builds, 0);
  const unsure =
    guessed.length === 0
      ? ''
      : `; ${guessed.length} of ${builds} were never built, and take what the others take in the middle`;
  return [`about ${minutes(milliseconds)}, by the median of past runs: ${each.join(', ')}${unsure}`];
}

function minutes(milliseconds: number): string {
  if (milliseconds < 90_000) return `${Math.round(milliseconds / 1000)} s`;
  return `${Math.round(milliseconds / 60_000)} min`;
}

function pullLines(pulls: readonly PullPreview[]): string[] {
  if (pulls.length === 0) return ['no downstream pins any of these images'];
  const groups = Map.groupBy(pulls, ({ repository }) => repository);
  const wanted = pulls.filter(({ action }) => action === 'open' || action === 'update').length;
  const lines = [...groups].map(([repository, own]) => `  ${repository}: ${own.map(pullText).join(', ')}`);
  const repositories = groups.size === 1 ? '1 repository' : `${groups.size} repositories`;
  return [`${countOf(wanted, 'pull request')} in ${repositories}, for releases whose content changes:`, ...lines];
}

function pullText({ image, action, number, pins, message }: PullPreview): string {
  const places = countOf(pins.length, 'pin');
  switch (action) {
    case 'open':
      return `${image} (${places})`;
    case 'update':
      return `${image} (${places}, updates #${number})`;
    case 'stuck':
      return `${image} (${places}, but somebody else works on its branch)`;
    case 'unknown':
      return `unknown for ${image}: ${message}`;
  }
}
