import { html } from 'hono/html';
import { z } from 'zod';
import type { AuditLine } from '../../access/audit-reader.ts';
import type { Html } from '../../api/pages/page.ts';
import { AccessError, coversFleet, hasRole } from '../../domain/access/principal.ts';
import type { PageContext, Pages } from '../context.ts';
import { empty, head, show } from '../layout.ts';
import { ago, badge } from '../parts/format.ts';
import { search, select, withQuery } from '../parts/forms.ts';
import { parseQuery } from '../parts/query.ts';

const ROWS = 100;
const Filter = {
  q: z.string().max(200),
  outcome: z.enum(['done', 'refused', 'failed', 'begun']),
  page: z.coerce.number().int().min(1).max(1000),
};

/** `/audit`: who changed what, for admins. What was begun and ended since shows once. */
export async function auditPage(c: PageContext, { deps, now }: Pages): Promise<Response> {
  const { principal } = c.var;
  if (!hasRole(principal, 'admin') || !coversFleet(principal)) {
    throw new AccessError('the audit log is for admins of the whole fleet', { code: 'forbidden' });
  }
  const { q, outcome, page = 1 } = parseQuery(c, Filter);
  const lines = withoutBegun(await deps.readAudit());
  const wanted = q?.toLowerCase();
  const shown = lines.filter(
    (line) => (outcome === undefined || line.outcome === outcome) && (!wanted || textOf(line).includes(wanted)),
  );
  const from = (page - 1) * ROWS;
  const choices = [
    { value: '', text: 'Any outcome' },
    ...Filter.outcome.options.map((value) => ({ value, text: value })),
  ];
  const content = html`${head({ title: 'Audit', below: 'Every change that somebody asked for, also what was refused' })}
<section class="card"><div class="card-head"><form class="filter" method="get" action="/audit" data-filter role="search">${search('q', 'Search', q, 'who, what, on what…')}${select('outcome', 'Outcome', choices, outcome)}<button>Filter</button></form></div>
<div id="audit" data-live>${table(shown.slice(from, from + ROWS), now())}${
    shown.length > ROWS &&
    html`<div class="card-foot pages"><span>${from + 1} to ${Math.min(from + ROWS, shown.length)} of ${shown.length}</span><span>${page > 1 && html`<a href="${withQuery('/audit', { q, outcome, page: String(page - 1) })}">Newer</a> `}${
      from + ROWS < shown.length &&
      html`<a href="${withQuery('/audit', { q, outcome, page: String(page + 1) })}">Older</a>`
    }</span></div>`
  }</div></section>`;
  return show(c, { title: 'Audit', nav: '/audit', content });
}

function withoutBegun(lines: readonly AuditLine[]): readonly AuditLine[] {
  const ended = new Set(
    lines.filter(({ outcome }) => outcome !== 'begun').map(({ request, what }) => `${request} ${what}`),
  );
  return lines.filter(({ outcome, request, what }) => outcome !== 'begun' || !ended.has(`${request} ${what}`));
}

function textOf({ who, what, on, reason, from, detail }: AuditLine): string {
  return [who, what, ...on, reason, from, detail].join(' ').toLowerCase();
}

function table(lines: readonly AuditLine[], now: Date): Html {
  if (lines.length === 0) return empty('Nothing to show', 'Changes by people and programs show here.');
  return html`<table class="folds"><caption class="hidden-text">Audit log, newest first</caption><thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th><th scope="col">On</th><th scope="col">Outcome</th><th scope="col">Said</th></tr></thead><tbody>${lines.map(
    ({ at, who, role, from, what, on, outcome, reason, detail }) =>
      html`<tr><td class="nowrap small">${ago(at, now)}</td><td>${who} <span class="soft small">${role}${role && ', '}${from}</span></td><td class="nowrap"><code>${what}</code></td><td class="small">${on.join(', ')}</td><td>${badge(outcome)}</td><td class="why small">${reason && html`“${reason}” `}${detail}</td></tr>`,
  )}</tbody></table>`;
}
