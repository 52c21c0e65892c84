import { html } from 'hono/html';
import { z } from 'zod';
import type { Html } from '../../api/pages/page.ts';
import type { FreshnessBreach } from '../../domain/freshness-breaches.ts';
import { explainHold, explainReason } from '../../domain/reasons.ts';
import type { FleetState, ImageView } from '../../domain/service/views.ts';
import { upstreamName } from '../../domain/upstream.ts';
import type { PageContext, Pages } from '../context.ts';
import { pictureOf } from '../graph.ts';
import { card, empty, head, show } from '../layout.ts';
import { ago, badge, imageLink, plural } from '../parts/format.ts';
import { csrfField, may, search, select, withQuery } from '../parts/forms.ts';
import { parseQuery, type Query } from '../parts/query.ts';

const STATES = ['fresh', 'rebuild', 'running', 'held', 'unknown'] as const;
const WORDS: Readonly<Record<(typeof STATES)[number], string>> = {
  fresh: 'Fresh',
  rebuild: 'To rebuild',
  running: 'Running',
  held: 'Held',
  unknown: 'Unknown',
};

const Filter = {
  q: z.string().max(200),
  state: z.enum(STATES),
  owner: z.string().max(200),
  page: z.coerce.number().int().min(1).max(1000),
};
type Filter = Query<typeof Filter>;

const ROWS = 100;
/** A picture of more is of those that fit the filter alone. */
const MOST_PICTURED = 400;

/** `/`: all images, as a picture and as a table. */
export async function fleetPage(c: PageContext, pages: Pages): Promise<Response> {
  const filter = parseQuery(c, Filter);
  const [fleet, images, { breaches }] = await Promise.all([
    c.var.service.fleet(),
    c.var.service.images(),
    c.var.service.freshness({ open: true }),
  ]);
  const fitting = images.filter((image) => fits(image, filter)).sort(byAttention);
  const content = html`${head({
    title: fleet.name,
    below: html`${plural(fleet.images, 'image')} for ${fleet.platforms.join(' and ')}, released to <code>${fleet.registry}</code>`,
    actions: fleetActions(c, fleet),
  })}
<div id="notes" data-live class="stack">${notes(fleet, pages.now())}${lateNote(breaches)}</div>
<div id="counts" data-live>${counts(images, filter)}</div>
<div id="picture" data-live>${await picture(images, fitting, filter, pages)}</div>
<section class="card"><div class="card-head"><h2>Images</h2>${filterForm(images, filter)}</div>
<div id="images" data-live>${table(fitting, filter, images.length, pages.now())}</div></section>`;
  return show(c, { title: `Fleet ${fleet.name}`, nav: '/', content, events: '/v1/events' });
}

function fleetActions(c: PageContext, { paused }: FleetState): Html {
  const look = may(c, 'operator')
    ? html`<form method="post" action="/fleet/look">${csrfField(c)}<button title="Ask all upstreams and archives, and plan anew">Look now</button></form>`
    : '';
  if (!may(c, 'admin')) return html`${look}`;
  return paused === undefined
    ? html`${look}<a class="button danger" href="/fleet/pause">Pause fleet…</a>`
    : html`${look}<form method="post" action="/fleet/resume">${csrfField(c)}<button class="primary">Resume fleet</button></form>`;
}

function notes({ paused, refused }: FleetState, now: Date): Html {
  return html`${
    paused &&
    html`<div class="note note-held"><strong>Nothing is rebuilt: the whole fleet is paused.</strong> ${paused.why} <span class="soft">(${paused.by}, ${ago(paused.at, now)}${paused.until && html`, until ${paused.until}`})</span></div>`
  }${
    refused &&
    html`<div class="note note-bad" role="alert"><strong>Newer definitions are not in use.</strong> ${refused.message}
<ul>${refused.mistakes
      .slice(0, 10)
      .map(
        ({ file, line, message, remedy }) =>
          html`<li><code>${file}${line === undefined ? '' : `:${line}`}</code> ${message}${remedy && ` (${remedy})`}</li>`,
      )}</ul></div>`
  }`;
}

const LATE_NAMED = 5;

function lateNote(breaches: readonly FreshnessBreach[]): Html {
  const names = [...new Set(breaches.filter(({ running }) => running).map(({ image }) => image))];
  if (names.length === 0) return html``;
  const rest = names.length > LATE_NAMED ? ` and ${names.length - LATE_NAMED} more` : '';
  const links = names.slice(0, LATE_NAMED).map((name, index) => html`${index > 0 && ', '}${imageLink(name)}`);
  return html`<div class="note note-bad"><strong>A <a href="/freshness">goal of freshness</a> is not kept:</strong> ${links}${rest}</div>`;
}

function counts(images: readonly ImageView[], filter: Filter): Html {
  const by = Map.groupBy(images, ({ state }) => state);
  const entry = (state: (typeof STATES)[number] | undefined, count: number, word: string) =>
    html`<li><a class="count card${state && ` s-${state}`}" href="${withQuery('/', { state })}"${filter.state === state ? html` aria-current="true"` : ''}><b>${count}</b><span>${word}</span></a></li>`;
  return html`<ul class="counts" aria-label="Images by state">${entry(undefined, images.length, 'All images')}${STATES.map(
    (state) => entry(state, by.get(state)?.length ?? 0, WORDS[state]),
  )}</ul>`;
}

async function picture(
  images: readonly ImageView[],
  fitting: readonly ImageView[],
  filter: Filter,
  { layouts }: Pages,
) {
  const isFiltered = fitting.length < images.length;
  const shown = images.length > MOST_PICTURED ? fitting : images;
  if (images.length === 0 || shown.length > MOST_PICTURED) return html``;
  const found = new Set(fitting.map(({ name }) => name));
  const pictured = shown.map((image) => ({
    ...{ name: image.name, state: image.state, parents: image.parents, why: whyOf(image)[0] ?? '' },
    ...sourcesOf(image),
    dim: isFiltered && !found.has(image.name),
    version: images.length > 60 ? undefined : image.release?.version,
  }));
  const legend = STATES.filter((state) => images.some((image) => image.state === state));
  return card({
    title: filter.q || isFiltered ? 'What is built from what (others are pale)' : 'What is built from what',
    beside: html`<div class="legend">${legend.map((state) => badge(state))}</div>`,
    flush: true,
    body: html`<div class="picture" id="graph" data-scroll tabindex="0" role="region" aria-label="Graph of the fleet; the table below has the same">${await pictureOf(pictured, layouts)}</div>`,
  });
}

function sourcesOf({ definition }: ImageView) {
  const names = definition.inputs.map(({ role, source }) => ({
    role,
    name: 'golden' in source ? source.golden : upstreamName(source),
    isUpstream: 'upstream' in source,
  }));
  return {
    upstreams: names.filter(({ isUpstream }) => isUpstream).map(({ name }) => name),
    base: names.find(({ role }) => role === 'base')?.name,
  };
}

function filterForm(images: readonly ImageView[], { q, state, owner }: Filter): Html {
  const teams = [...new Set(images.flatMap(({ definition }) => definition.owners.map(({ team }) => team)))].sort();
  return html`<form class="filter" method="get" action="/" data-filter role="search">
${search('q', 'Search', q, 'name, upstream, reason…')}
${select('state', 'State', [{ value: '', text: 'Any state' }, ...STATES.map((value) => ({ value, text: WORDS[value] }))], state)}
${teams.length > 0 && select('owner', 'Owner', [{ value: '', text: 'Any owner' }, ...teams.map((value) => ({ value, text: value }))], owner)}
<button>Filter</button></form>`;
}

function table(images: readonly ImageView[], filter: Filter, all: number, now: Date): Html {
  if (all === 0) return empty('No images yet', 'A folder in images/ with an image.yaml is an image.');
  if (images.length === 0) return empty('Nothing fits', html`<a href="/">Show all ${all} images</a>`);
  const from = ((filter.page ?? 1) - 1) * ROWS;
  const shown = images.slice(from, from + ROWS);
  return html`<table class="folds"><caption class="hidden-text">Images, their state and release</caption>
<thead><tr><th scope="col">Image</th><th scope="col">State</th><th scope="col">Why</th><th scope="col">Release</th><th scope="col">Released</th><th scope="col">Last run</th></tr></thead>
<tbody>${shown.map((image) => row(image, now))}</tbody></table>${
    images.length > ROWS &&
    html`<div class="card-foot pages"><span>${from + 1} to ${from + shown.length} of ${images.length}</span><span>${
      from > 0 && html`<a href="${pageOf(filter, -1)}">Previous</a> `
    }${from + ROWS < images.length && html`<a href="${pageOf(filter, 1)}">Next</a>`}</span></div>`
  }`;
}

/** What somebody may have to look at comes first. */
const ATTENTION = ['unknown', 'held', 'running', 'rebuild', 'fresh'] as const;

function byAttention(a: ImageView, b: ImageView): number {
  return ATTENTION.indexOf(a.state) - ATTENTION.indexOf(b.state) || a.name.localeCompare(b.name);
}

function pageOf({ q, state, owner, page = 1 }: Filter, step: number): string {
  return withQuery('/', { q, state, owner, page: String(page + step) });
}

function row(image: ImageView, now: Date): Html {
  const { name, state, release, lastRun, paused } = image;
  const [first = '', ...more] = whyOf(image);
  return html`<tr><th scope="row" class="lead">${imageLink(name)}</th><td>${badge(state)}${paused && state !== 'held' ? html` ${badge('paused')}` : ''}</td><td class="why small">${short(first)}${more.length > 0 ? html` <span class="soft">and ${more.length} more</span>` : ''}</td><td class="nowrap">${release ? html`<code>${release.version}</code>` : ''}</td><td class="nowrap small">${release ? ago(release.created, now) : ''}</td><td class="nowrap small">${
    lastRun &&
    html`<a href="/runs/${lastRun.id}">${lastRun.outcome ?? lastRun.state}</a> ${ago(lastRun.endedAt ?? lastRun.startedAt, now)}`
  }</td></tr>`;
}

const MAX_WHY = 140;

function short(text: string): string {
  return text.length > MAX_WHY ? `${text.slice(0, MAX_WHY - 1)}…` : text;
}

/** Everything that there is to say, the most important first. */
export function whyOf({
  unknown,
  holds,
  reasons,
}: Pick<ImageView, 'unknown' | 'holds' | 'reasons'>): readonly string[] {
  return [...(unknown === undefined ? [] : [unknown]), ...holds.map(explainHold), ...reasons.map(explainReason)];
}

function fits(image: ImageView, { q, state, owner }: Filter): boolean {
  if (state !== undefined && image.state !== state) return false;
  if (owner && !image.definition.owners.some(({ team }) => team === owner)) return false;
  if (!q) return true;
  const inputs = image.definition.inputs.map(({ written }) => written);
  const text = [image.name, image.state, image.release?.version, ...inputs, ...whyOf(image)].join(' ').toLowerCase();
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
