import { html } from 'hono/html';
import { z } from 'zod';
import type { Html } from '../../api/pages/page.ts';
import { formatDuration } from '../../domain/duration.ts';
import { explainHold, explainReason } from '../../domain/reasons.ts';
import type { StepRecord } from '../../domain/run.ts';
import type { LogTail, RunView } from '../../domain/service/views.ts';
import type { PageContext, Pages } from '../context.ts';
import { card, empty, head, show } from '../layout.ts';
import { ago, badge, digestText, imageLink, moment, plural, shortPlatform } from '../parts/format.ts';
import { may, postButton, search, select } from '../parts/forms.ts';
import { marked } from '../parts/marked.ts';
import { parseQuery, type Query } from '../parts/query.ts';

const Filter = { q: z.string().max(200), platform: z.string().max(64) };

/** `/runs/ID`: why, what was done step by step, and what the builds printed. */
export async function runPage(c: PageContext, { now }: Pages): Promise<Response> {
  const filter = parseQuery(c, Filter);
  const id = c.req.param('run')!;
  const [run, logs] = await Promise.all([c.var.service.run(id), c.var.service.runLogs(id)]);
  const isOver = run.state === 'ended';
  const content = html`<div id="head" data-live class="stack">${runHead(c, run, now())}</div>
<div class="aside"><div class="stack">
<div id="steps" data-live>${card({ title: 'Steps', beside: timeOf(run, now()), flush: true, body: waterfall(run, now()) })}</div>
<section class="card"><div class="card-head"><h2>Log</h2>${logForm(id, run, filter)}</div><div id="log-part" data-live>${logPart(logs, filter)}</div></section>
</div><div class="stack" id="facts" data-live>${card({ title: 'Why', body: why(run) })}${card({ title: 'Facts', body: facts(run, now()) })}</div></div>`;
  return show(c, {
    title: `Run of ${run.image}`,
    nav: '/runs',
    content,
    ...(isOver ? {} : { events: `/v1/runs/${id}/events`, every: 2000 }),
  });
}

function runHead(c: PageContext, run: RunView, now: Date): Html {
  const { id, image, state, outcome, summary, startedAt } = run;
  const cancel =
    state !== 'ended' &&
    may(c, 'operator', image) &&
    html`<a class="button danger" href="/runs/${id}/cancel">Cancel…</a>`;
  const retry = state === 'ended' && may(c, 'operator', image) && postButton(c, `/runs/${id}/retry`, 'Run again');
  return html`${head({
    crumbs: html`<a href="/runs">Runs</a> / <span class="mono">${id}</span>`,
    title: html`Run of ${imageLink(image)}`,
    beside: badge(outcome ?? state),
    below: html`${state === 'waiting' ? 'asked for' : 'started'} ${ago(startedAt, now)}`,
    actions: html`${cancel}${retry}`,
  })}${
    summary &&
    html`<div class="note ${outcome === 'failed' || outcome === 'blocked' ? 'note-bad' : outcome === 'released' ? 'note-good' : ''}">${summary.split('\n').map((line) => html`<p>${line}</p>`)}</div>`
  }`;
}

function timeOf({ startedAt, endedAt, steps }: RunView, now: Date): Html | string {
  if (steps.length === 0) return '';
  const end = endedAt === undefined ? now.getTime() : Date.parse(endedAt);
  const all = end - Date.parse(startedAt);
  const own = steps.filter(({ external }) => !external).reduce((sum, step) => sum + lengthOf(step, end), 0);
  return html`<span class="soft small">${formatDuration(all)} in all, ${formatDuration(own)} of it ingot itself</span>`;
}

function lengthOf({ startedAt, endedAt }: StepRecord, end: number): number {
  return Math.max(0, (endedAt ?? end) - startedAt);
}

const WIDE = 1000;

/** Every step on one axis of time: a bar for each in its own row. */
function waterfall({ steps, endedAt }: RunView, now: Date): Html {
  if (steps.length === 0) return empty('Nothing has begun yet', 'Steps appear here as they start.');
  const begin = Math.min(...steps.map(({ startedAt }) => startedAt));
  const over = endedAt === undefined ? now.getTime() : Date.parse(endedAt);
  const end = Math.max(begin + 1, ...steps.map((step) => step.endedAt ?? over));
  const at = (time: number) => Math.round(((time - begin) / (end - begin)) * WIDE);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Steps"><table class="waterfall folds"><caption class="hidden-text">Steps with their times</caption>
<thead><tr><th scope="col">Step</th><th scope="col">Platform</th><th scope="col" class="lane">Time, ${formatDuration(end - begin)} from left to right</th><th scope="col" class="number">Took</th></tr></thead>
<tbody>${steps.map((step) => {
    const left = at(step.startedAt);
    const wide = Math.max(4, at(step.endedAt ?? over) - left);
    return html`<tr><th scope="row">${step.name}${step.state !== 'done' && html` ${badge(step.state)}`}${step.error && html`<div class="small soft">${step.error}</div>`}</th><td class="small nowrap">${step.platform && shortPlatform(step.platform)}${step.emulated && html` <span class="tag">emulated</span>`}</td>
<td class="lane"><svg viewBox="0 0 ${WIDE} 14" preserveAspectRatio="none" aria-hidden="true"><rect class="back" width="${WIDE}" height="14"/><rect class="bar ${step.external ? 's-rebuild' : 's-fresh'} s-${step.state === 'done' ? '' : step.state}" x="${Math.min(left, WIDE - 4)}" width="${wide}" height="14"/></svg></td><td class="number small">${formatDuration(lengthOf(step, over))}</td></tr>`;
  })}</tbody></table></div><div class="card-foot"><span class="key"><svg viewBox="0 0 10 10" class="s-rebuild waterfall"><rect class="bar" width="10" height="10"/></svg>builds, tests, scans, uploads</span><span class="key"><svg viewBox="0 0 10 10" class="s-fresh waterfall"><rect class="bar" width="10" height="10"/></svg>ingot itself</span></div>`;
}

function why({ reasons, holds, request, cancelled }: RunView): Html {
  return html`<ul class="plain">${reasons.map((reason) => html`<li><span class="tag">${reason.kind}</span> ${explainReason(reason)}</li>`)}${holds.map(
    (hold) => html`<li><span class="tag">${hold.kind}</span> ${explainHold(hold)}</li>`,
  )}</ul>${request?.reason && html`<p class="soft">“${request.reason}” (${request.by})</p>`}${
    cancelled && html`<p>Cancelled by ${cancelled.by}${cancelled.reason && html`: “${cancelled.reason}”`}</p>`
  }`;
}

function facts(run: RunView, now: Date): Html {
  const { version, digest, platforms, priority, startedAt, endedAt, inputs, differs = [] } = run;
  return html`<dl class="facts">
${version && html`<dt>Release</dt><dd><code>${version}</code></dd>`}${digest && html`<dt>Digest</dt><dd>${digestText(digest)}</dd>`}
<dt>Platforms</dt><dd>${platforms.length > 0 ? platforms.map(shortPlatform).join(', ') : '–'}</dd>
<dt>Priority</dt><dd>${priority}</dd>
<dt>Started</dt><dd>${moment(startedAt)}</dd>
<dt>Ended</dt><dd>${endedAt === undefined ? 'not yet' : html`${moment(endedAt)} (${ago(endedAt, now)})`}</dd>
${inputs && html`<dt>Inputs</dt><dd>${digestText(inputs)}</dd>`}</dl>${
    differs.length > 0 &&
    html`<details id="differs"><summary>${plural(differs.length, 'file')} differ although the inputs did not</summary><ul>${differs.map((path) => html`<li><code>${path}</code></li>`)}</ul></details>`
  }`;
}

function logForm(id: string, { platforms }: RunView, { q, platform }: Query<typeof Filter>): Html {
  const choices = [
    { value: '', text: 'All platforms' },
    ...platforms.map((each) => ({ value: each, text: shortPlatform(each) })),
  ];
  return html`<form class="filter" method="get" action="/runs/${id}" data-filter role="search">${search('q', 'Search the log', q)}${
    platforms.length > 1 && select('platform', 'Platform', choices, platform)
  }<button>Search</button></form>`;
}

function logPart(logs: readonly LogTail[], { q, platform }: Query<typeof Filter>): Html {
  const shown = logs.filter((log) => platform === undefined || log.platform === platform);
  if (shown.every(({ lines }) => lines.length === 0)) {
    return empty('Nothing is logged', 'What builds print is kept for a week, the last 500 lines of each platform.');
  }
  return html`${shown.map(({ platform: name, lines }) => {
    const found = q ? lines.filter((line) => line.toLowerCase().includes(q.toLowerCase())) : lines;
    return html`<div class="card-body small soft">${name}: ${q ? `${found.length} of ${plural(lines.length, 'line')}` : `last ${plural(lines.length, 'line')}`}</div><pre class="log" id="log-${name.replaceAll('/', '-')}" data-scroll="end" tabindex="0" role="region" aria-label="Log of ${name}">${found.map(
      (line) => html`${q ? marked(clean(line), q) : clean(line)}
`,
    )}</pre>`;
  })}`;
}

const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[ -/]*[@-~]`, 'g');

/** Colours and the like are for terminals. */
function clean(line: string): string {
  return line.replace(ESCAPES, '').replace(/(?!\t)\p{Cc}/gu, '');
}
