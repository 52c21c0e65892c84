import { html } from 'hono/html';
import { z } from 'zod';
import type { Html } from '../../api/pages/page.ts';
import type { FreshnessView } from '../../domain/service/views.ts';
import type { PageContext, Pages } from '../context.ts';
import { type Lags, lagsByImage, lagsByMonth, lagsOf, type Stage } from '../lags.ts';
import { card, empty, head, show } from '../layout.ts';
import { chart, lineChart } from '../parts/charts.ts';
import { ago, formatDuration, imageLink } from '../parts/format.ts';
import { select } from '../parts/forms.ts';
import { parseQuery } from '../parts/query.ts';

const STAGES: readonly (readonly [Stage, string])[] = [
  ['detected', 'Detected'],
  ['started', 'Build begun'],
  ['released', 'Released'],
  ['merged', 'Merged'],
];

/** `/freshness`: how long it takes from a change upstream until it is in use. */
export async function freshnessPage(c: PageContext, { now }: Pages): Promise<Response> {
  const { image } = parseQuery(c, { image: z.string().max(128) });
  const all = await c.var.service.freshness();
  const samples = image === undefined ? all : all.filter((sample) => sample.image === image);
  const names = [...new Set(all.map((sample) => sample.image))].sort();
  const choices = [{ value: '', text: 'All images' }, ...names.map((value) => ({ value, text: value }))];
  const content = html`${head({ title: 'Freshness', below: 'From the change of an upstream to the release that has it in', actions: html`<form class="filter" method="get" action="/freshness" data-filter>${select('image', 'Image', choices, image)}<button>Show</button></form>` })}
<div id="freshness" data-live class="stack">${samples.length === 0 ? html`<section class="card">${empty('Nothing measured yet', 'The first release that follows a change upstream shows here.')}</section>` : parts(samples, now())}</div>`;
  return show(c, { title: 'Freshness', nav: '/freshness', content, events: '/v1/events' });
}

function parts(samples: readonly FreshnessView[], now: Date): Html {
  const months = lagsByMonth(samples);
  const stages = STAGES.filter(([stage]) => lagsOf(samples, stage).count > 0);
  const seconds = (value: number) => formatDuration(value * 1000);
  const ends = months.flatMap(({ key, samples: each }) => {
    const { p95 } = lagsOf(each, 'released');
    return p95 === undefined ? [] : [{ label: key, value: p95 }];
  });
  return html`<ul class="counts">${stages.map(([stage, word]) => {
    const { p50, p95, count } = lagsOf(samples, stage);
    return html`<li class="count card"><b>${p50 === undefined ? '–' : seconds(p50)}</b><span>${word}: p50 of ${count}; p95 ${p95 === undefined ? '–' : seconds(p95)}</span></li>`;
  })}</ul>
<div class="grid-2">${card({ title: 'By image, p50 / p95', flush: true, body: groupTable('Image', lagsByImage(samples), stages, (key) => imageLink(key)) })}
<div class="stack">${
    ends.length > 1 && chart('Released, p95', seconds(ends.at(-1)!.value), lineChart(ends, seconds, 'p95 by month'))
  }${card({ title: 'By month, p50 / p95', flush: true, body: groupTable('Month', months.toReversed(), stages, (key) => key) })}</div></div>
${card({ title: 'Last releases', flush: true, body: lastTable(samples, now) })}`;
}

const ROWS = 20;

function groupTable(
  what: string,
  groups: readonly { readonly key: string; readonly samples: readonly FreshnessView[] }[],
  stages: typeof STAGES,
  name: (key: string) => Html | string,
): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="By ${what.toLowerCase()}"><table><caption class="hidden-text">p50 and p95 by ${what.toLowerCase()}</caption><thead><tr><th scope="col">${what}</th>${stages.map(([, word]) => html`<th scope="col" class="number">${word}</th>`)}<th scope="col" class="number">Releases</th></tr></thead><tbody>${groups
    .slice(0, ROWS)
    .map(
      ({ key, samples }) =>
        html`<tr><th scope="row">${name(key)}</th>${stages.map(([stage]) => html`<td class="number small">${lagText(lagsOf(samples, stage))}</td>`)}<td class="number small">${samples.length}</td></tr>`,
    )}</tbody></table></div>${
    groups.length > ROWS && html`<div class="card-foot">The slowest ${ROWS} of ${groups.length}; choose one above</div>`
  }`;
}

function lagText({ p50, p95 }: Lags): Html | string {
  if (p50 === undefined || p95 === undefined) return '–';
  return html`${formatDuration(p50 * 1000)} <span class="soft">/ ${formatDuration(p95 * 1000)}</span>`;
}

function lastTable(samples: readonly FreshnessView[], now: Date): Html {
  return html`<table class="folds"><caption class="hidden-text">Last releases that followed a change upstream</caption><thead><tr><th scope="col">Image</th><th scope="col">Upstream</th><th scope="col">Changed</th><th scope="col">Released</th><th scope="col" class="number">Took</th></tr></thead><tbody>${samples
    .filter(({ created }) => created !== undefined)
    .slice(0, ROWS)
    .map(
      ({ image, run, version, upstream, created, releasedAt, seconds }) =>
        html`<tr><th scope="row">${imageLink(image)} ${version && html`<a href="/runs/${run}"><code>${version}</code></a>`}</th><td class="small">${upstream}</td><td class="small nowrap" data-label="changed">${ago(created, now)}</td><td class="small nowrap" data-label="released">${ago(releasedAt, now)}</td><td class="number small">${seconds === undefined ? '' : formatDuration(seconds * 1000)}</td></tr>`,
    )}</tbody></table>`;
}
