import { html } from 'hono/html';
import { z } from 'zod';
import type { Html } from '../../api/pages/page.ts';
import {
  type FreshnessGroup,
  type FreshnessStage,
  percentilesByImage,
  percentilesByMonth,
  stagePercentiles,
} from '../../domain/freshness.ts';
import type { FreshnessView } from '../../domain/service/views.ts';
import type { PageContext, Pages } from '../context.ts';
import { card, empty, head, show } from '../layout.ts';
import { chart, lineChart } from '../parts/charts.ts';
import { imageLink } from '../parts/format.ts';
import { select } from '../parts/forms.ts';
import { breachTable, goalsText, lagText, STAGE_WORDS, sampleTable, seconds, shownStages } from '../parts/freshness.ts';
import { parseQuery } from '../parts/query.ts';

const ROWS = 20;
const DAY_MS = 24 * 3600_000;
const PERIODS = { 30: 'Last 30 days', 90: 'Last 90 days', 365: 'Last year' } as const;

/** `/freshness`: how long it takes from a change outside until it is in use, and which goals are not kept. */
export async function freshnessPage(c: PageContext, { now }: Pages): Promise<Response> {
  const { image, days = '90' } = parseQuery(c, { image: z.string().max(128), days: z.enum(['30', '90', '365']) });
  const since = new Date(now().getTime() - Number(days) * DAY_MS).toISOString();
  const all = await c.var.service.freshness({ since });
  const isWanted = (each: { readonly image: string }) => image === undefined || each.image === image;
  const found = { ...all, samples: all.samples.filter(isWanted), breaches: all.breaches.filter(isWanted) };
  const names = [...new Set(all.samples.map((sample) => sample.image))].sort();
  const choices = [{ value: '', text: 'All images' }, ...names.map((value) => ({ value, text: value }))];
  const periods = Object.entries(PERIODS).map(([value, text]) => ({ value, text }));
  const filter = html`<form class="filter" method="get" action="/freshness" data-filter>${select('image', 'Image', choices, image)}${select('days', 'Changes of the', periods, days)}<button>Show</button></form>`;
  const below = html`From a change outside until it is in use; ${goalsText(all.goals)}`;
  const content = html`${head({ title: 'Freshness', below, actions: filter })}
<div id="freshness" data-live class="stack">${breaches(found, now())}${found.samples.length === 0 ? html`<section class="card">${empty('Nothing measured yet', 'A change of an upstream shows here as soon as it is seen.')}</section>` : parts(found, now())}</div>`;
  return show(c, { title: 'Freshness', nav: '/freshness', content, events: '/v1/events' });
}

function breaches({ goals, breaches: found }: FreshnessView, now: Date): Html {
  if (Object.keys(goals).length === 0) return html``;
  const running = found.filter((breach) => breach.running).length;
  const shown = found.slice(0, Math.max(ROWS, running));
  const body =
    found.length === 0
      ? empty('Every goal is kept', 'A goal that is not kept shows here first, with what holds it up.')
      : breachTable(shown, now);
  const foot = found.length > shown.length ? `The newest ${shown.length} of ${found.length}` : undefined;
  const beside =
    found.length > 0 ? html`<span class="soft small">${running} now, ${found.length - running} over</span>` : undefined;
  return card({ title: 'Goals that are not kept', flush: true, body, foot, beside });
}

function parts({ samples, goals }: FreshnessView, now: Date): Html {
  const months = percentilesByMonth(samples);
  const stages = stagePercentiles(samples);
  const shown = shownStages(stages);
  const open = samples.filter(({ releasedAt }) => releasedAt === undefined);
  const ends = months.flatMap(({ key, stages: { released } }) =>
    released.p95 === undefined ? [] : [{ label: key, value: released.p95 }],
  );
  const goalOf = { detected: goals.detectSeconds, released: goals.releaseSeconds } as Partial<
    Record<FreshnessStage, number>
  >;
  return html`<ul class="counts">${shown.map((stage) => {
    const { p50, p95, count } = stages[stage];
    const late = goalOf[stage] !== undefined && (p95 ?? 0) > goalOf[stage];
    return html`<li class="count card${late ? ' s-breach' : ''}"><b>${p50 === undefined ? '–' : seconds(p50)}</b><span>${STAGE_WORDS[stage]}: p50 of ${count}; p95 ${p95 === undefined ? '–' : seconds(p95)}${late ? ', beyond the goal' : ''}</span></li>`;
  })}</ul>
${open.length > 0 && card({ title: 'On their way', flush: true, body: sampleTable(open.slice(0, ROWS), now), foot: open.length > ROWS ? `The newest ${ROWS} of ${open.length}` : undefined })}
${card({ title: 'By image, p50 / p95', flush: true, body: groupTable('Image', percentilesByImage(samples), shown, (key) => imageLink(key)) })}
${
  ends.length > 1 && chart('Released, p95', seconds(ends.at(-1)!.value), lineChart(ends, seconds, 'p95 by month'))
}${card({ title: 'By month, p50 / p95', flush: true, body: groupTable('Month', months.toReversed(), shown, (key) => key) })}
${card({ title: 'Last changes', flush: true, body: sampleTable(samples.filter(({ releasedAt }) => releasedAt !== undefined).slice(0, ROWS), now) })}`;
}

function groupTable(
  what: string,
  groups: readonly FreshnessGroup[],
  stages: readonly FreshnessStage[],
  name: (key: string) => Html | string,
): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="By ${what.toLowerCase()}"><table><caption class="hidden-text">p50 and p95 by ${what.toLowerCase()}</caption><thead><tr><th scope="col">${what}</th>${stages.map((stage) => html`<th scope="col" class="number">${STAGE_WORDS[stage]}</th>`)}<th scope="col" class="number">Changes</th></tr></thead><tbody>${groups
    .slice(0, ROWS)
    .map(
      ({ key, stages: lags, count }) =>
        html`<tr><th scope="row">${name(key)}</th>${stages.map((stage) => html`<td class="number small">${lagText(lags[stage])}</td>`)}<td class="number small">${count}</td></tr>`,
    )}</tbody></table></div>${
    groups.length > ROWS && html`<div class="card-foot">The slowest ${ROWS} of ${groups.length}; choose one above</div>`
  }`;
}
