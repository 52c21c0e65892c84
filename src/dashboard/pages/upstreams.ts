import { html } from 'hono/html';
import { z } from 'zod';
import type { Html } from '../../api/pages/page.ts';
import { formatDuration } from '../../domain/duration.ts';
import type { UpstreamView } from '../../domain/service/views.ts';
import type { BudgetView } from '../../domain/service/workers.ts';
import { familiarName } from '../../domain/upstream.ts';
import type { PageContext, Pages } from '../context.ts';
import { card, empty, head, show } from '../layout.ts';
import { ago, badge, digestText, imageLink, plural, shortPlatform } from '../parts/format.ts';
import { search } from '../parts/forms.ts';
import { parseQuery } from '../parts/query.ts';

/** `/upstreams`: what is watched, when it moved, and what its hosts still allow. */
export async function upstreamsPage(c: PageContext, { now }: Pages): Promise<Response> {
  const { q } = parseQuery(c, { q: z.string().max(200) });
  const [upstreams, budgets] = await Promise.all([c.var.service.upstreams(), c.var.service.budgets()]);
  const wanted = q?.toLowerCase();
  const shown = upstreams.filter(
    ({ name, images }) => !wanted || `${name} ${images.join(' ')}`.toLowerCase().includes(wanted),
  );
  const content = html`${head({ title: 'Upstreams', below: 'Image references outside the fleet that are watched' })}
<section class="card"><div class="card-head"><h2>${plural(upstreams.length, 'upstream')}</h2><form class="filter" method="get" action="/upstreams" data-filter role="search">${search('q', 'Search', q, 'name or image')}<button>Filter</button></form></div>
<div id="upstreams" data-live>${table(shown, upstreams.length, now())}</div></section>
<div id="budgets" data-live>${card({ title: 'Budgets of hosts', beside: html`<span class="soft small">shared by all processes</span>`, flush: true, body: budgetTable(budgets, now()) })}</div>`;
  return show(c, { title: 'Upstreams', nav: '/upstreams', content, events: '/v1/events' });
}

function table(upstreams: readonly UpstreamView[], all: number, now: Date): Html {
  if (all === 0) return empty('No upstreams', 'No image of the fleet is built from anything outside it.');
  if (upstreams.length === 0) return empty('Nothing fits', html`<a href="/upstreams">Show all</a>`);
  return html`<table class="folds"><caption class="hidden-text">Upstreams</caption><thead><tr><th scope="col">Upstream</th><th scope="col">Digest</th><th scope="col">Last change</th><th scope="col">Seen</th><th scope="col">Last check</th><th scope="col">Used by</th></tr></thead><tbody>${upstreams.map((each) => row(each, now))}</tbody></table>`;
}

const NAMED = 4;

function row(
  { name, source, digest, created, firstSeenAt, checkedAt, platforms, images, unknown }: UpstreamView,
  now: Date,
): Html {
  return html`<tr><th scope="row">${familiarName(name)}${source && html`<div class="small soft">read from <code>${source}</code></div>`}${unknown && html`<div class="small">${badge('unknown')} ${unknown}</div>`}</th>
<td>${digestText(digest)}<div class="small soft">${Object.keys(platforms).map(shortPlatform).join(', ')}</div></td><td class="nowrap small" data-label="made">${ago(created, now)}</td><td class="nowrap small" data-label="seen">${ago(firstSeenAt, now)}</td><td class="nowrap small" data-label="checked">${ago(checkedAt, now)}</td>
<td class="small">${images.slice(0, NAMED).map((image, index) => html`${index > 0 && ', '}${imageLink(image)}`)}${images.length > NAMED && ` and ${images.length - NAMED} more`}</td></tr>`;
}

function budgetTable(budgets: readonly BudgetView[], now: Date): Html {
  if (budgets.length === 0)
    return empty('Nothing to tell', 'Hosts show here once they said what they allow, or were asked today.');
  return html`<table class="folds"><caption class="hidden-text">Budgets</caption><thead><tr><th scope="col">Host</th><th scope="col">Left</th><th scope="col" class="number">Waiting</th><th scope="col" class="number">Today</th><th scope="col">State</th></tr></thead><tbody>${budgets.map(
    ({
      host,
      kind,
      identity,
      limit,
      remaining,
      windowSeconds,
      pausedUntil,
      why,
      waiting,
      spentToday,
    }) => html`<tr><th scope="row">${host} <span class="tag">${kind}</span> <span class="soft small">${identity}</span></th>
<td class="small">${limit !== undefined && remaining !== undefined ? html`${meter(remaining / Math.max(limit, 1))} ${Math.floor(remaining)} of ${limit}${windowSeconds && html` in ${formatDuration(windowSeconds * 1000)}`}` : html`<span class="soft">no limit that it told</span>`}</td>
<td class="number small" data-label="waiting">${waiting}</td><td class="number small" data-label="today">${spentToday.toLocaleString('en')}</td><td class="small">${
      pausedUntil && Date.parse(pausedUntil) > now.getTime()
        ? html`${badge('held', 'waits')} ${ago(pausedUntil, now)}${why && html`: ${why}`}`
        : badge('fresh', 'open')
    }</td></tr>`,
  )}</tbody></table>`;
}

export function meter(share: number): Html {
  const wide = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return html`<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="back" width="100" height="8" rx="2"/><rect class="full" width="${wide}" height="8" rx="2"/></svg>`;
}
