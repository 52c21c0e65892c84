import { html } from 'hono/html';
import { z } from 'zod';
import { RUN_STATES } from '../../api/schemas/runs.ts';
import { OUTCOMES } from '../../domain/run.ts';
import type { PageContext, Pages } from '../context.ts';
import { head, show } from '../layout.ts';
import { search, select, withQuery } from '../parts/forms.ts';
import { Cursor, parseQuery } from '../parts/query.ts';
import { runsTable } from './image.ts';

const ROWS = 50;
const Filter = {
  image: z.string().max(128),
  state: z.enum(RUN_STATES),
  outcome: z.enum(OUTCOMES),
  since: z.iso.date(),
  cursor: Cursor,
};

/** `/runs`: newest first. */
export async function runsPage(c: PageContext, { now }: Pages): Promise<Response> {
  const { image, state, outcome, since, cursor } = parseQuery(c, Filter);
  const { items, next } = await c.var.service.runs({
    ...{ image, state, outcome, cursor, limit: ROWS },
    since: since && `${since}T00:00:00.000Z`,
  });
  const choices = (values: readonly string[], any: string) => [
    { value: '', text: any },
    ...values.map((value) => ({ value, text: value })),
  ];
  const content = html`${head({ title: 'Runs', below: 'Each attempt to bring one image up to date, newest first' })}
<section class="card"><div class="card-head"><form class="filter" method="get" action="/runs" data-filter role="search">
${search('image', 'Image', image, 'exact name')}
${select('state', 'State', choices(RUN_STATES, 'Any state'), state)}
${select('outcome', 'Outcome', choices(OUTCOMES, 'Any outcome'), outcome)}
<label>Since<input type="date" name="since" value="${since ?? ''}"></label>
<button>Filter</button></form></div>
<div id="runs" data-live>${runsTable(items, now(), true)}
${
  (cursor || next) &&
  html`<div class="card-foot pages"><span>${cursor && html`<a href="${withQuery('/runs', { image, state, outcome, since })}">Newest</a>`}</span><span>${
    next && html`<a href="${withQuery('/runs', { image, state, outcome, since, cursor: next })}">Older runs</a>`
  }</span></div>`
}</div></section>`;
  return show(c, { title: 'Runs', nav: '/runs', content, events: cursor === undefined ? '/v1/events' : undefined });
}
