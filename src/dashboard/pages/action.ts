import { html } from 'hono/html';
import { ZodError } from 'zod';
import { byOf } from '../../api/operation.ts';
import type { Html } from '../../api/pages/page.ts';
import { AccessError, coversFleet, hasRole } from '../../domain/access/principal.ts';
import { FactoryError } from '../../domain/errors.ts';
import { PRIORITIES } from '../../domain/service/views.ts';
import type { Action, Field } from '../actions.ts';
import type { PageContext, Pages } from '../context.ts';
import { putFlash } from '../flash.ts';
import { head, show } from '../layout.ts';
import { imageLink, imagePath } from '../parts/format.ts';
import { csrfField } from '../parts/forms.ts';

const MAX_FIELD = 2000;
type Fields = Readonly<Record<string, string>>;

/** The form of an action: what comes of it, and what it needs to know. */
export async function actionForm(c: PageContext, action: Action): Promise<Response> {
  await requireAllowed(c, action);
  return form(c, action, {
    fields: Object.fromEntries(action.fields.map(({ name }) => [name, c.req.query(name)?.slice(0, MAX_FIELD) ?? ''])),
  });
}

/** Does it, and leads to where its result shows; what cannot be done is said in the form. */
export async function doAction(c: PageContext, action: Action, { deps }: Pages): Promise<Response> {
  const body = await c.req.parseBody();
  const given = action.fields.map(({ name }) => [name, textOf(body[name])] as const);
  const fields = Object.fromEntries(given);
  try {
    const { told, to } = await action.run(subjectOf(c, action), fields, byOf(c), c.var.service);
    putFlash(c, { kind: 'good', text: told }, deps.isSecure);
    return c.redirect(to, 303);
  } catch (error) {
    if (error instanceof ZodError) return form(c, action, { fields, problem: problemOf(error, action), status: 400 });
    if (!(error instanceof FactoryError) || error instanceof AccessError) throw error;
    if (error.code === 'not-found') throw error;
    return form(c, action, { fields, problem: error.message, status: 409 });
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim().slice(0, MAX_FIELD) : '';
}

function problemOf({ issues }: ZodError, { fields }: Action): string {
  const lines = issues.map(({ path, message }) => {
    const label =
      fields.find(({ name }) => name === path[0])?.label.replace(/ \(optional\)$/, '') ?? String(path[0] ?? '');
    return path[0] === 'reason' ? 'Say a reason.' : `${label}: ${message}`;
  });
  return lines.join(' ');
}

function subjectOf(c: PageContext, { subject }: Action): string {
  return subject === 'fleet' ? '' : c.req.param(subject)!;
}

/** A form that would be refused is not shown; the service judges again (access/guarded.ts). */
async function requireAllowed(c: PageContext, { role, subject, title }: Action): Promise<void> {
  const { principal, service } = c.var;
  if (!hasRole(principal, role)) {
    throw new AccessError(`${principal.name} is ${principal.role}, and “${title}” is for ${role}s`, {
      code: 'forbidden',
    });
  }
  if (subject === 'image') await service.image(c.req.param('image')!);
  else if (subject === 'run') await service.run(c.req.param('run')!);
  else if (!coversFleet(principal)) {
    throw new AccessError(`${principal.name} is limited to some images`, { code: 'forbidden' });
  }
}

interface Shown {
  readonly fields: Fields;
  readonly problem?: string;
  readonly status?: 400 | 409;
}

async function form(c: PageContext, action: Action, { fields, problem, status }: Shown): Promise<Response> {
  const { subject, title, told, button, danger } = action;
  const on = subjectOf(c, action);
  const back = subject === 'image' ? imagePath(on) : subject === 'run' ? `/runs/${on}` : '/';
  const versions = action.fields.some(({ choices }) => choices === 'releases') ? await versionsOf(c, on) : [];
  const crumb =
    subject === 'image'
      ? imageLink(on)
      : subject === 'run'
        ? html`<a href="${back}">Run</a>`
        : html`<a href="/">Fleet</a>`;
  const content = html`${head({ crumbs: html`${crumb} / ${title}`, title: subject === 'image' ? `${title} ${on}` : title })}
${problem && html`<div class="note note-bad" role="alert">${problem}</div>`}
<section class="card"><div class="card-body"><form class="form" method="post" action="${c.req.path}">${csrfField(c)}
<p>${told}</p>
${action.fields.map((field) => input(field, fields[field.name] ?? '', versions))}
<div class="actions"><button class="${danger ? 'danger' : 'primary'}">${button}</button><a class="button" href="${back}">Do nothing</a></div></form></div></section>`;
  return show(c, {
    title: subject === 'fleet' ? title : `${title} ${subject === 'run' ? 'run' : on}`,
    nav: subject === 'run' ? '/runs' : '/',
    content,
    ...(status && { status }),
  });
}

async function versionsOf(c: PageContext, image: string): Promise<readonly string[]> {
  const { releases } = await c.var.service.history(image);
  if (releases.length > 0) return releases.map(({ version }) => version);
  return (await c.var.service.releases(image, { limit: 20 })).items.map(({ version }) => version);
}

function input({ name, label, hint, required, choices }: Field, value: string, versions: readonly string[]): Html {
  const help = hint && html` <small>${hint}</small>`;
  if (choices !== undefined) {
    const known = choices === 'releases' ? versions : PRIORITIES;
    const chosen = value || (choices === 'priorities' ? 'requested' : '');
    const all = value && !known.includes(value) ? [value, ...known] : known;
    return html`<label class="field">${label}${help}<select name="${name}"${required && html` required`}>${!required && choices === 'releases' && html`<option value="">Choose for me</option>`}${all.map(
      (each) => html`<option value="${each}"${each === chosen && html` selected`}>${each}</option>`,
    )}</select></label>`;
  }
  if (name === 'reason') {
    return html`<label class="field">${label}${help}<textarea name="reason" rows="3" maxlength="1000"${required && html` required`}>${value}</textarea></label>`;
  }
  return html`<label class="field">${label}${help}<input name="${name}" value="${value}" maxlength="64"${required && html` required`}></label>`;
}
