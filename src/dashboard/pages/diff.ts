import { html } from 'hono/html';
import { z } from 'zod';
import type { Html } from '../../api/pages/page.ts';
import { ProblemError } from '../../api/problem.ts';
import { shortDigest } from '../../domain/digest.ts';
import { type ChangedPlatform, groupByFolder, type ImageDiff, type PlatformDiff } from '../../domain/image-diff.ts';
import { formatBytes } from '../../domain/size.ts';
import type { Finding } from '../../domain/verdict.ts';
import type { PageContext } from '../context.ts';
import { card, empty, head, show } from '../layout.ts';
import { badge, imageLink, imagePath, plural, shortPlatform } from '../parts/format.ts';
import { parseQuery } from '../parts/query.ts';

const Version = z.string().regex(/^\d{1,9}\.\d{1,9}\.\d{1,9}$/);

/** `/images/NAME/diff?before=…&after=…`: what two releases differ in. */
export async function diffPage(c: PageContext): Promise<Response> {
  const name = c.req.param('image')!;
  const { before, after } = parseQuery(c, { before: Version, after: Version });
  if (before === undefined || after === undefined) throw new ProblemError(400, 'name two versions: before and after');
  const view = await c.var.service.diff(name, { before, after });
  const body =
    view.state === 'done'
      ? diffParts(view.diff)
      : view.state === 'running'
        ? html`<section class="card">${empty('Comparing', 'Both releases are read from the registry, layer by layer; this page shows the answer by itself.')}<noscript><div class="card-foot"><a href="">Look again</a></div></noscript></section>`
        : html`<div class="note note-bad"><strong>They could not be compared.</strong> ${view.why}</div>`;
  const content = html`${head({
    crumbs: html`<a href="/">Fleet</a> / ${imageLink(name)} / Compare`,
    title: html`<code>${before}</code> → <code>${after}</code>`,
    actions: html`<a class="button" href="${imagePath(name)}/diff?before=${after}&amp;after=${before}">Swap</a>`,
  })}<div id="diff" data-live class="stack">${body}</div>`;
  return show(c, {
    title: `${name} ${before} → ${after}`,
    nav: '/',
    content,
    ...(view.state === 'running' && { every: 1500 }),
  });
}

function diffParts({ platforms }: ImageDiff): Html {
  return html`${platforms.map((platform) => card({ title: platform.platform, beside: headOf(platform), body: platformBody(platform) }))}`;
}

const ONLY = { same: 'the same digest', added: 'only in the later one', removed: 'only in the earlier one' } as const;

function headOf(diff: PlatformDiff): Html {
  if (diff.state !== 'changed') return html`<span class="soft">${ONLY[diff.state]}</span>`;
  const { before, after } = diff.layers.size;
  const delta = after - before;
  return html`<span class="soft">${formatBytes(before)} → ${formatBytes(after)} (${delta < 0 ? '−' : '+'}${formatBytes(Math.abs(delta))})</span>`;
}

const MOST = 60;

function platformBody(diff: PlatformDiff): Html {
  if (diff.state !== 'changed')
    return html`<p class="soft">${shortPlatform(diff.platform)} is ${ONLY[diff.state]}.</p>`;
  const { packages, vulnerabilities, config, notes, files } = diff;
  return html`<div class="stack">
${diff.sameContent && html`<p>The same content: nothing differs that counts.</p>`}
${part('Packages', packages.changes, ({ name, before, after }) => html`<tr><th scope="row">${name}</th><td><code>${before ?? '–'}</code></td><td><code>${after ?? '–'}</code></td></tr>`, ['Package', 'Before', 'After'])}
${part('Vulnerabilities fixed', vulnerabilities?.fixed ?? [], findingRow, ['Id', 'Severity', 'Package'])}
${part('Vulnerabilities new', vulnerabilities?.added ?? [], findingRow, ['Id', 'Severity', 'Package'])}
${filesPart(diff, files)}
${part('Configuration', config, ({ key, before, after }) => html`<tr><th scope="row"><code>${key}</code></th><td class="small">${valueText(before)}</td><td class="small">${valueText(after)}</td></tr>`, ['Field', 'Before', 'After'])}
${layersPart(diff)}
${notes.map((note) => html`<p class="soft">${note}</p>`)}</div>`;
}

function part<T>(title: string, items: readonly T[], row: (item: T) => Html, heads: readonly string[]): Html | string {
  if (items.length === 0) return '';
  return html`<section><h3>${title} <span class="soft">(${items.length})</span></h3><div class="scroll" tabindex="0" role="region" aria-label="${title}"><table><thead><tr>${heads.map((each) => html`<th scope="col">${each}</th>`)}</tr></thead><tbody>${items.slice(0, MOST).map(row)}</tbody></table></div>${
    items.length > MOST &&
    html`<p class="soft small">and ${items.length - MOST} more; <code>ingot diff --json</code> has all</p>`
  }</section>`;
}

function findingRow({ id, severity, source, installed }: Finding): Html {
  return html`<tr><th scope="row"><code>${id}</code></th><td>${badge(severity === 'critical' ? 'failed' : severity === 'high' ? 'held' : 'unknown', severity)}</td><td>${source} <code>${installed}</code></td></tr>`;
}

function filesPart(_: ChangedPlatform, files: ChangedPlatform['files']): Html | string {
  const { added, removed, changed } = files;
  if (added.length + removed.length + changed.length === 0) return '';
  return html`<section><h3>Files <span class="soft">(${added.length} added, ${removed.length} removed, ${changed.length} changed)</span></h3><ul class="plain small">${groupByFolder(
    files,
  ).map(
    ({ folder, names }) =>
      html`<li><code>${folder}</code> <span class="soft">${plural(names.length, 'file')}:</span> ${names.slice(0, 8).join(', ')}${names.length > 8 && ', …'}</li>`,
  )}</ul></section>`;
}

function layersPart({ layers }: ChangedPlatform): Html | string {
  if (layers.before.length + layers.after.length === 0) return '';
  const lines = [
    ...layers.before.map((layer) => ({ sign: '−', ...layer })),
    ...layers.after.map((layer) => ({ sign: '+', ...layer })),
  ];
  return html`<section><h3>Layers <span class="soft">(${layers.common.count} in common, ${formatBytes(layers.common.size)})</span></h3><ul class="plain small">${lines.map(
    ({ sign, digest, size, createdBy }) =>
      html`<li>${sign} <code>${shortDigest(digest)}</code> ${formatBytes(size)} <span class="soft">${createdBy?.replace(/\s+/g, ' ').slice(0, 100)}</span></li>`,
  )}</ul></section>`;
}

function valueText(value: unknown): Html | string {
  if (value === undefined) return html`<span class="soft">not set</span>`;
  const text = JSON.stringify(value);
  return html`<code>${text.length > 200 ? `${text.slice(0, 200)}…` : text}</code>`;
}
