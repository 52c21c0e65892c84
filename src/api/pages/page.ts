import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** What hono/html makes, escaped as it has to be. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export function page(title: string, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>${title} · ingot</title>
    <link rel="stylesheet" href="/assets/api.css" />
  </head>
  <body>
    <main>
      <h1>${title}</h1>
      ${content}
    </main>
  </body>
</html>`;
}
