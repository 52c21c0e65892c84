import { html } from 'hono/html';
import type { Html } from '../../api/pages/page.ts';
import { type AccessRole, coversFleet, coversImage, hasRole } from '../../domain/access/principal.ts';
import type { PageContext } from '../context.ts';

/** What proves that a form is of our own page; absent for who has no session, and then no form is shown either. */
export function csrfField(c: PageContext): Html | string {
  const { session } = c.var;
  return session === undefined ? '' : html`<input type="hidden" name="_csrf" value="${session.csrf}">`;
}

/** Whether to show a button. The service judges again what is asked of it (access/guarded.ts). */
export function may(c: PageContext, role: AccessRole, image?: string): boolean {
  const { principal } = c.var;
  if (c.var.session === undefined || !hasRole(principal, role)) return false;
  return image === undefined ? coversFleet(principal) : coversImage(principal, image);
}

/** A button that does what it says at once. */
export function postButton(c: PageContext, action: string, text: string, kind = ''): Html {
  return html`<form method="post" action="${action}">${csrfField(c)}<button class="${kind}">${text}</button></form>`;
}

export interface Choice {
  readonly value: string;
  readonly text: string;
}

export function select(name: string, label: string, choices: readonly Choice[], chosen: string | undefined): Html {
  return html`<label>${label}<select name="${name}">${choices.map(
    ({ value, text }) =>
      html`<option value="${value}"${value === (chosen ?? '') ? html` selected` : ''}>${text}</option>`,
  )}</select></label>`;
}

export function search(name: string, label: string, value: string | undefined, placeholder = ''): Html {
  return html`<label class="wide">${label}<input type="search" name="${name}" value="${value ?? ''}" placeholder="${placeholder}" autocomplete="off"></label>`;
}

/** A path with these parameters; what is empty is left out. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value) query.set(name, value);
  return query.size > 0 ? `${path}?${query}` : path;
}
