import { html } from 'hono/html';
import type { Html } from '../../api/pages/page.ts';
import { stagePercentiles } from '../../domain/freshness.ts';
import type { FreshnessView } from '../../domain/service/views.ts';
import { card, empty } from '../layout.ts';
import { breachTable, goalsText, lagText, STAGE_WORDS, sampleTable, shownStages } from '../parts/freshness.ts';

const ROWS = 5;

/** How long changes outside took to get into this image. */
export function freshnessCard(name: string, { samples, breaches, goals }: FreshnessView, now: Date): Html {
  const running = breaches.filter((breach) => breach.running);
  const stages = stagePercentiles(samples);
  const beside = html`<a href="/freshness?image=${encodeURIComponent(name)}">All of it</a>`;
  if (samples.length === 0 && running.length === 0) {
    return card({
      title: 'Freshness',
      body: empty('Nothing measured yet', 'A change outside shows here once it is seen.'),
    });
  }
  const body = html`${running.length > 0 && breachTable(running, now, false)}${sampleTable(samples.slice(0, ROWS), now, false)}`;
  const lags = shownStages(stages).map(
    (stage, index) => html`${index > 0 && ' · '}${STAGE_WORDS[stage]} ${lagText(stages[stage])}`,
  );
  const foot = html`<span class="small">p50 / p95 of 90 days: ${lags.length > 0 ? lags : 'none yet'}; ${goalsText(goals)}</span>`;
  return card({ title: 'Freshness', beside, flush: true, body, foot });
}
