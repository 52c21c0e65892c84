import { html } from 'hono/html';
import { page } from '../api/pages/page.ts';
import { answerError, Problem } from '../api/problem.ts';
import type { PageContext } from './context.ts';
import { show } from './layout.ts';

/** The same judgement of errors as in the API, for people. */
export async function errorPage(error: Error, c: PageContext, onTrouble: (message: string) => void): Promise<Response> {
  const answer = answerError(error, c, onTrouble);
  const { title, detail, request } = Problem.parse(await answer.json());
  const content = html`<section class="card"><div class="empty"><strong>${title}</strong>${detail}<p class="small">Request <code>${request}</code></p><p><a href="/">To the fleet</a></p></div></section>`;
  if (c.get('principal') === undefined) return c.html(page(title, content), answer.status as 500);
  return show(c, {
    title,
    content: html`<h1 class="hidden-text">${title}</h1>${content}`,
    status: answer.status as 500,
  });
}
