import { html } from 'hono/html';
import type { Html } from '../../api/pages/page.ts';
import { formatDuration } from '../../domain/duration.ts';
import { explainHold, explainReason } from '../../domain/reasons.ts';
import type { HistoryView } from '../../domain/service/history.ts';
import type { ImageView, RunView } from '../../domain/service/views.ts';
import { upstreamName } from '../../domain/upstream.ts';
import { type Bump, bumpsOf, pinsOf } from '../adoption.ts';
import type { PageContext, Pages } from '../context.ts';
import { card, empty, head, show } from '../layout.ts';
import { ago, badge, digestText, imageLink, imagePath, moment, outsideLink, shortPlatform } from '../parts/format.ts';
import { may, postButton } from '../parts/forms.ts';
import { freshnessCard } from './image-freshness.ts';
import { figureCharts, releasesCard } from './image-releases.ts';

const RUNS = 8;

/** `/images/NAME`: why it is as it is, what was released, what is in it, who uses it. */
export async function imagePage(c: PageContext, pages: Pages): Promise<Response> {
  const name = c.req.param('image')!;
  const { service } = c.var;
  const image = await service.image(name);
  const [history, runs, pulls, freshness] = await Promise.all([
    service.history(name),
    service.runs({ image: name, limit: RUNS }),
    pages.pulls.get().catch(() => undefined), // a forge that cannot be asked hides no image
    service.freshness({ image: name }),
  ]);
  const now = pages.now();
  const content = html`<div id="head" data-live class="stack">${imageHead(c, image, now)}${standing(image, now)}</div>
<div id="figures" data-live>${figureCharts(history)}</div>
<div class="aside"><div class="stack">
<div id="why" data-live>${card({ title: image.state === 'fresh' ? 'Why it is fresh' : 'Why', beside: html`<span class="soft small">looked at ${ago(image.checkedAt, now)}</span>`, body: why(image) })}</div>
<div id="releases" data-live>${releasesCard(c, image, history, now)}</div>
<div id="freshness" data-live>${freshnessCard(name, freshness, now)}</div>
<div id="runs" data-live>${card({ title: 'Last runs', beside: html`<a href="/runs?image=${encodeURIComponent(name)}">All runs</a>`, flush: true, body: runsTable(runs.items, now) })}</div>
</div><div class="stack" id="aside" data-live>
${card({ title: 'Facts', body: facts(image, history, now) })}
${card({ title: 'Who pins it', flush: true, body: pins(name, pulls === undefined ? undefined : bumpsOf(pulls.value.pulls), now) })}
</div></div>`;
  const every = history.reading ? { every: 2000 } : {};
  return show(c, { title: name, nav: '/', content, events: `/v1/images/${encodeURIComponent(name)}/events`, ...every });
}

function imageHead(c: PageContext, image: ImageView, now: Date): Html {
  const { name, state, definition, release, paused } = image;
  const path = imagePath(name);
  const operator =
    may(c, 'operator', name) &&
    html`${paused ? postButton(c, `${path}/resume`, 'Resume') : html`<a class="button" href="${path}/pause">Pause…</a>`}<a class="button primary" href="${path}/rebuild">Rebuild…</a>`;
  const admin =
    may(c, 'admin', name) && release && html`<a class="button danger" href="${path}/rollback">Roll back…</a>`;
  return head({
    crumbs: html`<a href="/">Fleet</a> / Images`,
    title: name,
    beside: html`${badge(state)}${paused ? badge('paused') : ''}`,
    below: html`${definition.description && html`${definition.description} · `}${
      release
        ? html`<code>${release.version}</code> is in use, released ${ago(release.created, now)}`
        : 'never released'
    }`,
    actions: html`${admin}${operator}`,
  });
}

function standing({ paused, quarantined, definition }: ImageView, now: Date): Html {
  return html`${
    paused &&
    html`<div class="note note-held"><strong>Paused.</strong> ${paused.why} <span class="soft">(${paused.by}, ${ago(paused.at, now)}${paused.until && html`, until ${moment(paused.until)}`})</span></div>`
  }${
    quarantined.length > 0 &&
    html`<div class="note note-bad"><strong>Quarantined:</strong><ul>${quarantined.map(
      ({ version, digest, why, by, at }) =>
        html`<li>${version ? html`<code>${version}</code>` : digestText(digest)} ${why} <span class="soft">(${by}, ${ago(at, now)})</span></li>`,
    )}</ul></div>`
  }${definition.deprecated && html`<div class="note note-held"><strong>Its end of life is announced.</strong></div>`}`;
}

function why({ state, reasons, holds, unknown }: ImageView): Html {
  if (state === 'unknown') return html`<p>${unknown ?? 'Something it depends on could not be asked.'}</p>`;
  if (reasons.length === 0 && holds.length === 0) {
    return html`<p>Nothing that is in it changed since its release: base, other inputs, definition and packages are what they were.</p>`;
  }
  return html`<ul class="plain">${reasons.map((reason) => html`<li><span class="tag">${reason.kind}</span> ${explainReason(reason)}</li>`)}${holds.map(
    (hold) => html`<li>${badge('held', hold.kind)} ${explainHold(hold)}</li>`,
  )}</ul>`;
}

function facts(image: ImageView, { readAt }: HistoryView, now: Date): Html {
  const { definition, parents, children, repository, release } = image;
  const upstreams = definition.inputs.flatMap(({ source }) => ('upstream' in source ? [upstreamName(source)] : []));
  const list = (items: readonly (Html | string)[]) => items.map((item, index) => html`${index > 0 && ', '}${item}`);
  return html`<dl class="facts">
<dt>Repository</dt><dd><code>${repository}</code></dd>
${release && html`<dt>Digest</dt><dd>${digestText(release.digest)}</dd>`}
<dt>Line</dt><dd><code>${definition.line}</code></dd>
<dt>Platforms</dt><dd>${definition.platforms.map(shortPlatform).join(', ')}</dd>
${definition.owners.length > 0 && html`<dt>Owners</dt><dd>${definition.owners.map(({ team }) => team).join(', ')}</dd>`}
${parents.length > 0 && html`<dt>Built from</dt><dd>${list(parents.map(imageLink))}</dd>`}
${upstreams.length > 0 && html`<dt>Upstreams</dt><dd>${list(upstreams.map((each) => html`<code>${each}</code>`))}</dd>`}
${children.length > 0 && html`<dt>Used by</dt><dd>${list(children.map(imageLink))}</dd>`}
${definition.waivers.length > 0 && html`<dt>Waivers</dt><dd>${list(definition.waivers.map(({ id, reason, until }) => html`<span title="${reason}"><code>${id}</code> until ${until}</span>`))}</dd>`}
${readAt && html`<dt>Figures</dt><dd>read ${ago(readAt, now)}</dd>`}</dl>`;
}

export function runsTable(runs: readonly RunView[], now: Date, withImage = false): Html {
  if (runs.length === 0)
    return empty('No runs', 'A run begins when something that is in the image changes, or when somebody asks.');
  return html`<table class="folds"><caption class="hidden-text">Runs, newest first</caption><thead><tr>${withImage && html`<th scope="col">Image</th>`}<th scope="col">Outcome</th><th scope="col">Why</th><th scope="col">Started</th><th scope="col" class="number">Took</th></tr></thead>
<tbody>${runs.map((run) => runRow(run, now, withImage))}</tbody></table>`;
}

function runRow(
  { id, image, state, outcome, version, reasons, startedAt, endedAt }: RunView,
  now: Date,
  withImage: boolean,
): Html {
  const took =
    endedAt === undefined ? now.getTime() - Date.parse(startedAt) : Date.parse(endedAt) - Date.parse(startedAt);
  const [reason] = reasons;
  const text = reason === undefined ? '' : explainReason(reason);
  return html`<tr>${withImage && html`<th scope="row">${imageLink(image)}</th>`}<td class="nowrap"><a href="/runs/${id}">${badge(outcome ?? state)}<span class="hidden-text"> run ${id}</span></a>${version && html` <code>${version}</code>`}</td><td class="why small">${text.length > 120 ? `${text.slice(0, 119)}…` : text}${reasons.length > 1 && html` <span class="soft">and ${reasons.length - 1} more</span>`}</td><td class="nowrap small">${ago(startedAt, now)}</td><td class="number small">${state === 'waiting' || state === 'queued' ? '' : formatDuration(took)}</td></tr>`;
}

function pins(name: string, bumps: readonly Bump[] | undefined, now: Date): Html {
  if (bumps === undefined) return empty('Not known', 'The forges of the downstreams could not be asked.');
  const found = pinsOf(bumps.filter(({ image }) => image === name));
  if (found.length === 0) return empty('Nobody that is known', 'Repositories show here with their first pull request.');
  return html`<table class="folds"><caption class="hidden-text">Repositories that pin ${name}</caption><thead><tr><th scope="col">Repository</th><th scope="col">Pins</th><th scope="col">Open</th></tr></thead><tbody>${found.map(
    ({ repository, version, since, open }) =>
      html`<tr><th scope="row">${repository}</th><td class="small">${version && html`<code>${version}</code> ${since && ago(since, now)}`}</td><td class="small">${open && html`${outsideLink(open.url, `#${open.number}`)} to <code>${open.version}</code>`}</td></tr>`,
  )}</tbody></table>`;
}
