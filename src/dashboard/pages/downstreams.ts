import { html } from 'hono/html';
import { z } from 'zod';
import type { Html } from '../../api/pages/page.ts';
import { coversImage } from '../../domain/access/principal.ts';
import { type Adoption, adoptionOf, type Bump, bumpsOf, isStuck, type Pin, pinsOf } from '../adoption.ts';
import type { PageContext, Pages } from '../context.ts';
import { card, empty, head, show } from '../layout.ts';
import { ago, badge, imageLink, outsideLink, plural } from '../parts/format.ts';
import { search } from '../parts/forms.ts';
import { parseQuery } from '../parts/query.ts';
import { meter } from './upstreams.ts';

const ROWS = 100;

/** `/downstreams`: how far each release got, and which pull requests wait. */
export async function downstreamsPage(c: PageContext, pages: Pages): Promise<Response> {
  const { q } = parseQuery(c, { q: z.string().max(200) });
  const now = pages.now();
  const { value, at } = await pages.pulls.get();
  const bumps = bumpsOf(value.pulls).filter(({ image }) => coversImage(c.var.principal, image));
  const pins = pinsOf(bumps);
  const wanted = q?.toLowerCase();
  const fits = (each: { repository: string; image: string }) =>
    !wanted || `${each.repository} ${each.image}`.toLowerCase().includes(wanted);
  const content = html`${head({ title: 'Downstreams', below: html`Repositories that pin golden images, as their pull requests tell; asked ${ago(at.toISOString(), now)}` })}
<div id="unknown" data-live>${unknownNote(value.unknown)}</div>
<div id="open" data-live>${openCard(bumps.filter(({ state }) => state === 'open').filter(fits), now)}</div>
<div class="grid-2"><div id="adoption" data-live>${card({ title: 'Adoption', flush: true, body: adoptionTable(adoptionOf(pins)) })}</div>
<section class="card"><div class="card-head"><h2>${plural(pins.length, 'pin')}</h2><form class="filter" method="get" action="/downstreams" data-filter role="search">${search('q', 'Search', q, 'repository or image')}<button>Filter</button></form></div>
<div id="pins" data-live>${pinTable(pins.filter(fits), now)}</div></section></div>`;
  return show(c, { title: 'Downstreams', nav: '/downstreams', content, every: 60_000 });
}

function unknownNote(unknown: readonly { readonly repository: string; readonly why: string }[]): Html {
  if (unknown.length === 0) return html``;
  return html`<div class="note note-held"><strong>${plural(unknown.length, 'repository', 'repositories')} could not be asked.</strong><ul>${unknown
    .slice(0, 10)
    .map(({ repository, why }) => html`<li>${repository}: ${why}</li>`)}</ul></div>`;
}

function openCard(open: readonly Bump[], now: Date): Html {
  const stuck = open.filter((pull) => isStuck(pull, now)).length;
  return card({
    title: 'Open pull requests',
    beside: html`<span class="soft small">${open.length} open${stuck > 0 ? html`, ${badge('stuck', `${stuck} stuck`)}` : ''}</span>`,
    flush: true,
    body:
      open.length === 0
        ? empty('None is open', 'Everybody who is known has what was released.')
        : html`<table class="folds"><caption class="hidden-text">Open pull requests</caption><thead><tr><th scope="col">Pull request</th><th scope="col">Repository</th><th scope="col">Moves</th><th scope="col">Open since</th></tr></thead><tbody>${open
            .slice(0, ROWS)
            .map(
              (pull) =>
                html`<tr><th scope="row">${outsideLink(pull.url, `#${pull.number} ${pull.title}`)}</th><td>${pull.repository}</td><td class="nowrap">${imageLink(pull.image)} to <code>${pull.version}</code></td><td class="nowrap small">${ago(pull.createdAt, now)}${isStuck(pull, now) ? html` ${badge('stuck')}` : ''}</td></tr>`,
            )}</tbody></table>`,
  });
}

function adoptionTable(adoption: readonly Adoption[]): Html {
  if (adoption.length === 0) return empty('Nothing merged yet', 'What was merged shows how far each release got.');
  return html`<table class="folds"><caption class="hidden-text">Repositories by image and version</caption><thead><tr><th scope="col">Image</th><th scope="col">Version</th><th scope="col">Repositories</th></tr></thead><tbody>${adoption.flatMap(
    ({ image, versions, open }) => {
      const all = versions.reduce((sum, { repositories }) => sum + repositories, 0);
      const rows = versions.length > 0 ? versions : [{ version: '–', repositories: 0 }];
      return rows
        .slice(0, 5)
        .map(
          ({ version, repositories }, index) =>
            html`<tr><th scope="row">${index === 0 ? imageLink(image) : html`<span class="hidden-text">${image}</span>`}</th><td><code>${version}</code></td><td class="small nowrap">${meter(all === 0 ? 0 : repositories / all)} ${repositories} of ${all}${index === 0 && open > 0 && html` · ${open} open`}</td></tr>`,
        );
    },
  )}</tbody></table>`;
}

function pinTable(pins: readonly Pin[], now: Date): Html {
  if (pins.length === 0) return empty('Nothing to show', 'Repositories show here with their first pull request.');
  return html`<table class="folds"><caption class="hidden-text">Pins</caption><thead><tr><th scope="col">Repository</th><th scope="col">Image</th><th scope="col">Pins</th><th scope="col">Open</th></tr></thead><tbody>${pins
    .slice(0, ROWS)
    .map(
      ({ repository, image, version, since, open }) =>
        html`<tr><th scope="row">${repository}</th><td>${imageLink(image)}</td><td class="small">${version ? html`<code>${version}</code> ${since && ago(since, now)}` : ''}</td><td class="small">${open && html`<code>${open.version}</code>`}</td></tr>`,
    )}</tbody></table>${pins.length > ROWS && html`<div class="card-foot">${pins.length - ROWS} more; search for one</div>`}`;
}
