import { getCookie } from 'hono/cookie';
import { html, raw } from 'hono/html';
import type { Html } from '../api/pages/page.ts';
import { hasRole } from '../domain/access/principal.ts';
import { VERSION } from '../version.ts';
import { SCRIPT, STYLE } from './assets.ts';
import type { PageContext } from './context.ts';
import { type Flash, takeFlash } from './flash.ts';
import { csrfField } from './parts/forms.ts';

export interface Shell {
  readonly title: string;
  /** Which entry of the navigation it belongs to. */
  readonly nav?: string;
  readonly content: Html;
  /** Where events come from that change this page; absent: it stays as it is. */
  readonly events?: string | undefined;
  /** Milliseconds; for what no event tells. */
  readonly every?: number | undefined;
  readonly status?: 200 | 202 | 400 | 403 | 404 | 409 | 429 | 500 | 503;
}

export const THEMES = ['auto', 'light', 'dark'] as const;
export const THEME_COOKIE = 'ingot_theme';

const NAV = [
  ['/', 'Fleet'],
  ['/runs', 'Runs'],
  ['/upstreams', 'Upstreams'],
  ['/downstreams', 'Downstreams'],
  ['/freshness', 'Freshness'],
  ['/workers', 'Workers'],
] as const;

/** One page in its frame. */
export async function show(c: PageContext, shell: Shell): Promise<Response> {
  const flash = takeFlash(c);
  c.header('cache-control', 'private, no-store');
  return c.html(frame(c, shell, flash), shell.status ?? 200);
}

function frame(c: PageContext, { title, nav, content, events, every }: Shell, flash: Flash | undefined): Html {
  const theme = getCookie(c, THEME_COOKIE);
  const chosen = theme === 'light' || theme === 'dark' ? theme : undefined;
  return html`<!doctype html>
<html lang="en"${chosen === undefined ? '' : raw(` data-theme="${chosen}"`)}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ingot</title>
<link rel="icon" href="data:image/svg+xml,${ICON}">
<link rel="stylesheet" href="${STYLE.path}">
<script type="module" src="${SCRIPT.path}"></script>
</head>
<body${events === undefined ? '' : html` data-events="${events}"`}${every === undefined ? '' : html` data-every="${every}"`}>
<a class="skip" href="#main">Skip to content</a>
${header(c, nav, chosen)}
<main id="main" tabindex="-1">
${flash && html`<div class="note note-${flash.kind}" role="status">${flash.text}</div>`}
${content}
</main>
<footer><span>ingot ${VERSION}</span><a href="/reference">API reference</a><span id="live-status" role="status"></span></footer>
</body>
</html>`;
}

function header(c: PageContext, nav: string | undefined, theme: string | undefined): Html {
  const { principal } = c.var;
  const entries = hasRole(principal, 'admin') ? [...NAV, ['/audit', 'Audit'] as const] : NAV;
  return html`<header class="top"><div class="top-in">
<a class="brand" href="/">${LOGO} ingot</a>
<nav class="nav" aria-label="Pages">${entries.map(
    ([path, name]) => html`<a href="${path}"${path === nav ? raw(' aria-current="page"') : ''}>${name}</a>`,
  )}</nav>
<div class="who">
<form method="post" action="/theme">${csrfField(c)}<input type="hidden" name="back" value="${c.req.path}">
<button class="icon-button" name="theme" value="${NEXT[theme ?? 'auto']}" title="Colours: ${theme ?? 'as the system says'}">${THEME_ICON}<span class="hidden-text">Switch colours to ${NEXT[theme ?? 'auto']}</span></button></form>
<details class="menu" id="who"><summary class="icon-button" title="${principal.name}">${PERSON_ICON}<span class="hidden-text">Signed in as ${principal.name}</span></summary>
<div class="menu-in"><div><strong>${principal.name}</strong><div class="soft small">${principal.role}${
    principal.images.includes('*') ? '' : html`, only ${principal.images.join(', ')}`
  }</div></div>
<form method="post" action="/logout">${csrfField(c)}<button>Sign out</button></form></div></details>
</div></div></header>`;
}

const NEXT: Readonly<Record<string, string>> = { auto: 'dark', dark: 'light', light: 'auto' };

const svg = (paths: string, size = 20) =>
  raw(
    `<svg width="${size}" height="${size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${paths}</svg>`,
  );
const LOGO = svg('<path d="M6 8h12l3 9H3z"/><path d="M6 8l2-3h8l2 3"/>', 22);
const THEME_ICON = svg('<circle cx="12" cy="12" r="8"/><path d="M12 4a8 8 0 0 1 0 16z" fill="currentColor"/>');
const PERSON_ICON = svg('<circle cx="12" cy="8" r="3.5"/><path d="M5 20c.8-3.6 3.5-5.5 7-5.5s6.2 1.900 7 5.500"/>');
const ICON = encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M6 8h12l3 9H3z" fill="#b78a1c"/><path d="M6 8l2-3h8l2 3z" fill="#e3bd55"/></svg>',
);

export interface Head {
  readonly title: string | Html;
  readonly crumbs?: Html;
  readonly beside?: Html | string | undefined;
  readonly below?: Html | string | undefined;
  readonly actions?: Html | string | undefined;
}

/** What a page is about, and what can be done there. */
export function head({ title, crumbs, beside, below, actions }: Head): Html {
  return html`<div class="head"><div class="head-text">${crumbs && html`<div class="crumbs">${crumbs}</div>`}
<div class="title"><h1>${title}</h1>${beside}</div>${below && html`<div class="soft">${below}</div>`}</div>
${actions && html`<div class="actions">${actions}</div>`}</div>`;
}

export interface Card {
  readonly title: string;
  readonly beside?: Html | string | undefined;
  readonly foot?: Html | string | undefined;
  readonly body: Html | string;
  /** Without space around the body. */
  readonly flush?: boolean;
}

export function card({ title, beside, body, foot, flush = false }: Card): Html {
  return html`<section class="card"><div class="card-head"><h2>${title}</h2>${beside}</div>
${flush ? body : html`<div class="card-body">${body}</div>`}${foot && html`<div class="card-foot">${foot}</div>`}</section>`;
}

export function empty(title: string, more: Html | string = ''): Html {
  return html`<div class="empty"><strong>${title}</strong>${more}</div>`;
}
