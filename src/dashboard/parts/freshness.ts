import { html } from 'hono/html';
import type { Html } from '../../api/pages/page.ts';
import { formatDuration } from '../../domain/duration.ts';
import {
  builtAt,
  FRESHNESS_STAGES,
  type FreshnessGoal,
  type FreshnessGoals,
  type FreshnessSample,
  type FreshnessStage,
  type Percentiles,
  type StagePercentiles,
  secondsBetween,
} from '../../domain/freshness.ts';
import type { FreshnessBreach } from '../../domain/freshness-breaches.ts';
import { familiarName } from '../../domain/upstream.ts';
import { ago, badge, imageLink, shortPlatform } from './format.ts';

export const STAGE_WORDS: Readonly<Record<FreshnessStage, string>> = {
  detected: 'Detected',
  built: 'Built',
  released: 'Released',
  opened: 'Proposed',
  merged: 'Merged',
};
const GOAL_WORDS: Readonly<Record<FreshnessGoal, string>> = {
  detect: 'Detected within',
  release: 'Released within',
  critical: 'Critical fix within',
};

export function seconds(value: number): string {
  return formatDuration(value * 1000);
}

/** Stages of which there is anything to show. */
export function shownStages(stages: StagePercentiles): readonly FreshnessStage[] {
  return FRESHNESS_STAGES.filter((stage) => stages[stage].count > 0);
}

export function lagText({ p50, p95 }: Percentiles): Html | string {
  if (p50 === undefined || p95 === undefined) return '–';
  return html`${seconds(p50)} <span class="soft">/ ${seconds(p95)}</span>`;
}

export function goalsText({ detectSeconds, releaseSeconds, criticalSeconds }: FreshnessGoals): string {
  const goals = [
    detectSeconds === undefined ? [] : `detected within ${seconds(detectSeconds)}`,
    releaseSeconds === undefined ? [] : `released within ${seconds(releaseSeconds)}`,
    criticalSeconds === undefined ? [] : `critical fixes within ${seconds(criticalSeconds)}`,
  ].flat();
  return goals.length === 0 ? 'no goals; "freshness" in ingot.yaml sets them' : `goals: ${goals.join(', ')}`;
}

/** Goals that are not kept. */
export function breachTable(breaches: readonly FreshnessBreach[], now: Date, withImage = true): Html {
  return html`<table class="folds"><caption class="hidden-text">Goals that are not kept, those that still run first</caption><thead><tr>${withImage && html`<th scope="col">Image</th>`}<th scope="col">Goal</th><th scope="col">What changed</th><th scope="col" class="number">Took</th><th scope="col">State</th></tr></thead><tbody>${breaches.map(
    (breach) =>
      html`<tr>${withImage && html`<th scope="row">${imageLink(breach.image)}</th>`}<td class="nowrap small" data-label="goal">${GOAL_WORDS[breach.goal]} ${seconds(breach.goalSeconds)}</td><td class="why small">${whatOf(breach)}${breach.why && html` <span class="soft">${breach.why}</span>`}</td><td class="number small">${seconds(breach.seconds)}</td><td class="nowrap small">${breach.running ? html`${badge('breach', 'not kept')} <span class="soft">since ${ago(breach.since, now)}</span>` : html`<span class="soft">over ${ago(breach.releasedAt, now)}</span>`}</td></tr>`,
  )}</tbody></table>`;
}

function whatOf({ goal, upstream, findings, unseen }: FreshnessBreach): Html {
  if (unseen) return html`<code>${familiarName(upstream)}</code> cannot be asked;`;
  if (goal !== 'critical') return html`<code>${familiarName(upstream)}</code>`;
  return html`<code>${upstream}</code> has a fix for ${(findings ?? []).join(', ')}`;
}

/** Changes, and when they got how far. */
export function sampleTable(samples: readonly FreshnessSample[], now: Date, withImage = true): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Changes"><table class="folds"><caption class="hidden-text">Changes outside, the newest first, and how long each took</caption><thead><tr>${withImage && html`<th scope="col">Image</th>`}<th scope="col">What changed</th><th scope="col">Changed</th><th scope="col" class="number">Detected</th><th scope="col" class="number">Built</th><th scope="col" class="number">Released</th><th scope="col" class="number">Proposed</th><th scope="col" class="number">Merged</th></tr></thead><tbody>${samples.map(
    (sample) => sampleRow(sample, now, withImage),
  )}</tbody></table></div>`;
}

function sampleRow(sample: FreshnessSample, now: Date, withImage: boolean): Html {
  const { image, run, version, kind, upstream, tag, findings = [], changedAt, platforms = {} } = sample;
  const names = Object.keys(platforms).map(shortPlatform as (name: string) => string);
  const pulls = Object.values(sample.pulls ?? {});
  const merged = pulls.flatMap(({ mergedAt }) => mergedAt ?? []);
  const first = (times: readonly string[]) => times.toSorted()[0];
  const cell = (label: string, time: string | undefined, more: Html | string = '') =>
    html`<td class="number small nowrap" data-label="${label}">${time === undefined ? '–' : seconds(secondsBetween(changedAt, time))}${more}</td>`;
  const release =
    version && html` ${run ? html`<a href="/runs/${run}"><code>${version}</code></a>` : html`<code>${version}</code>`}`;
  const what =
    kind === 'fix'
      ? html`<code>${upstream}</code> <span class="soft">${findings.join(', ')}</span>`
      : html`<code>${familiarName(upstream)}</code>${tag && html` <code>${tag}</code>`} <span class="soft">${names.join(', ')}</span>`;
  return html`<tr>${withImage && html`<th scope="row">${imageLink(image)}</th>`}<td class="small">${what}${release}</td><td class="small nowrap" data-label="changed">${ago(changedAt, now)}</td>${cell('detected', sample.detectedAt)}${cell('built', builtAt(sample))}${cell('released', sample.releasedAt, sample.outcome === 'unchanged' ? html` <span class="soft">equal</span>` : '')}${cell('proposed', first(pulls.map(({ openedAt }) => openedAt)))}${cell('merged', first(merged), pulls.length > 1 ? html` <span class="soft">${merged.length} of ${pulls.length}</span>` : '')}</tr>`;
}
