import { html } from 'hono/html';
import type { Html } from '../../api/pages/page.ts';
import { formatDuration } from '../../domain/duration.ts';
import { explainRoom } from '../../domain/reasons.ts';
import type { QueueView, ScheduleView, WorkerView } from '../../domain/service/workers.ts';
import type { PageContext, Pages } from '../context.ts';
import { card, empty, head, show } from '../layout.ts';
import { ago, badge, imageLink, moment, plural, shortPlatform } from '../parts/format.ts';

/** `/workers`: who works, what waits, and when the service looks by itself. */
export async function workersPage(c: PageContext, pages: Pages): Promise<Response> {
  const { service } = c.var;
  const now = pages.now();
  const [workers, queues, schedules] = await Promise.all([service.workers(), service.queues(), service.schedules()]);
  const content = html`${head({ title: 'Workers and queues', below: plural(workers.length, 'process', 'processes') })}
<div id="queues" data-live>${card({ title: 'Queues', flush: true, body: queueTable(queues, now) })}</div>
<div id="workers" data-live>${card({ title: 'Workers', flush: true, body: workerTable(workers, now) })}</div>
<div id="schedules" data-live>${card({ title: 'Schedules', flush: true, body: scheduleTable(schedules, now) })}</div>`;
  return show(c, { title: 'Workers', nav: '/workers', content, events: '/v1/events', every: 5000 });
}

function queueTable(queues: readonly QueueView[], now: Date): Html {
  if (queues.length === 0) return empty('No queues', 'They are made when the service has read its definitions.');
  return html`<table class="folds"><caption class="hidden-text">Queues</caption><thead><tr><th scope="col">Queue</th><th scope="col" class="number">Running</th><th scope="col" class="number">Waiting</th><th scope="col" class="number">Delayed</th><th scope="col" class="number">For platforms</th><th scope="col" class="number">Stalled</th><th scope="col" class="number">Failed today</th><th scope="col" class="number">Workers</th><th scope="col">Oldest</th></tr></thead><tbody>${queues.map(
    (
      queue,
    ) => html`<tr><th scope="row">${queue.role === 'scheduler' ? queue.name : queue.role}${queue.platform && html` <span class="tag">${shortPlatform(queue.platform)}</span>`}</th>
<td class="number" data-label="running">${queue.running}</td><td class="number" data-label="waiting">${queue.waiting}</td><td class="number" data-label="delayed">${queue.delayed}</td><td class="number" data-label="for platforms">${queue.blocked}</td><td class="number" data-label="stalled">${queue.stalled > 0 ? badge('stuck', String(queue.stalled)) : '0'}</td><td class="number" data-label="failed today">${queue.failed}</td><td class="number" data-label="workers">${
      queue.workers === 0 && queue.role !== 'scheduler' ? badge('held', 'none') : queue.workers
    }</td><td class="small nowrap" data-label="oldest">${queue.oldest ? ago(queue.oldest, now) : '–'}</td></tr>`,
  )}</tbody></table>`;
}

function workerTable(workers: readonly WorkerView[], now: Date): Html {
  if (workers.length === 0)
    return empty('Nobody works', html`Start one with <code>ingot work</code>, here or on another machine.`);
  return html`<table class="folds"><caption class="hidden-text">Workers</caption><thead><tr><th scope="col">Worker</th><th scope="col">Does</th><th scope="col">Platforms</th><th scope="col">Now</th><th scope="col">Seen</th></tr></thead><tbody>${workers.map(
    ({
      host,
      pid,
      version,
      roles,
      platforms,
      concurrency,
      startedAt,
      seenAt,
      stopping,
      lowDisk,
      jobs,
    }) => html`<tr><th scope="row">${host} <span class="soft small">pid ${pid}, ${version}</span>${stopping ? html` ${badge('held', 'stopping')}` : ''}${lowDisk ? html` ${badge('failed', 'builds nothing')} <span class="soft small">${explainRoom(lowDisk)}</span>` : ''}</th>
<td class="small">${roles.join(', ')}<div class="soft">${plural(concurrency, 'job')} at once, since ${ago(startedAt, now)}</div></td><td>${platforms.map(({ platform, how }) => html`<div class="nowrap">${badge(how, `${shortPlatform(platform)} ${how}`)}</div>`)}</td>
<td class="small">${jobs.length === 0 ? html`<span class="soft">idle</span>` : jobs.map(({ run, image, role, platform, startedAt: since }) => html`<div>${imageLink(image)} <a href="/runs/${run}">${role}${platform && ` ${shortPlatform(platform)}`}</a> ${ago(since, now)}</div>`)}</td><td class="small nowrap">${ago(seenAt, now)}</td></tr>`,
  )}</tbody></table>`;
}

function scheduleTable(schedules: readonly ScheduleView[], now: Date): Html {
  if (schedules.length === 0) return empty('No schedules');
  return html`<table class="folds"><caption class="hidden-text">Schedules</caption><thead><tr><th scope="col">Schedule</th><th scope="col">When</th><th scope="col">Next</th></tr></thead><tbody>${schedules.map(
    ({ name, what, cron, timezone, everySeconds, next }) =>
      html`<tr><th scope="row">${name}<div class="small soft">${what}</div></th><td class="small">${cron ? html`<code>${cron}</code> ${timezone}` : everySeconds && `every ${formatDuration(everySeconds * 1000)}`}</td><td class="small">${next[0] ? html`${ago(next[0], now)} <span class="soft">${moment(next[0])}</span>` : '–'}</td></tr>`,
  )}</tbody></table>`;
}
