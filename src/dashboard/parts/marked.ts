import { html } from 'hono/html';
import type { Html } from '../../api/pages/page.ts';

/** A text with every place marked that was searched for. */
export function marked(text: string, searched: string): Html {
  const [low, wanted] = [text.toLowerCase(), searched.toLowerCase()];
  // A letter whose small form is longer would shift all places behind it
  if (wanted === '' || low.length !== text.length) return html`${text}`;
  const parts: Html[] = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at !== -1; at = low.indexOf(wanted, from)) {
    const end = at + wanted.length;
    parts.push(html`${text.slice(from, at)}<mark>${text.slice(at, end)}</mark>`);
    from = end;
  }
  return html`${parts}${text.slice(from)}`;
}
