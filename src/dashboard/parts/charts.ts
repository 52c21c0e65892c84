import { html } from 'hono/html';
import type { Html } from '../../api/pages/page.ts';

export interface Point {
  /** What stands below it: a version, a month. */
  readonly label: string;
  readonly value: number;
}

const WIDTH = 340;
const HEIGHT = 120;
const LEFT = 8;
const TOP = 10;
const BOTTOM = 18;

/** Values over time as a line. The scale begins at zero only where that shows more than it hides. */
export function lineChart(points: readonly Point[], format: (value: number) => string, what: string): Html {
  const values = points.map(({ value }) => value);
  const [low, high] = rangeOf(values);
  const x = (index: number) => place(index, points.length);
  const y = (value: number) => TOP + (1 - (value - low) / (high - low || 1)) * (HEIGHT - TOP - BOTTOM);
  const line = points.map(({ value }, index) => `${x(index)},${y(value).toFixed(1)}`).join(' ');
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${what}: ${said(points, format)}">
${axis()}<polyline class="line-1" points="${line}"/>${points.map(
    ({ label, value }, index) =>
      html`<circle class="dot-1" cx="${x(index)}" cy="${y(value).toFixed(1)}" r="3"><title>${label}: ${format(value)}</title></circle>`,
  )}${labels(points)}</svg>`;
}

export interface Bar {
  readonly label: string;
  /** From the bottom up. */
  readonly parts: readonly { readonly kind: string; readonly value: number }[];
}

/** Sums over time as stacked bars. */
export function barChart(bars: readonly Bar[], what: string): Html {
  const sums = bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const high = Math.max(1, ...sums);
  const wide = Math.max(3, Math.min(22, ((WIDTH - 2 * LEFT) / Math.max(bars.length, 1)) * 0.6));
  const scale = (HEIGHT - TOP - BOTTOM) / high;
  const points = bars.map(({ label }, index) => ({ label, value: sums[index]! }));
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${what}: ${said(points, String)}">
${axis()}${bars.map(({ label, parts }, index) => {
  let from = HEIGHT - BOTTOM;
  const told = parts.filter(({ value }) => value > 0).map(({ kind, value }) => `${value} ${kind}`);
  return html`<g><title>${label}: ${told.join(', ') || 'none'}</title>${parts.map(({ kind, value }) => {
    from -= value * scale;
    return (
      value > 0 &&
      html`<rect class="bar-${kind}" x="${(place(index, bars.length) - wide / 2).toFixed(1)}" y="${from.toFixed(1)}" width="${wide.toFixed(1)}" height="${(value * scale).toFixed(1)}"/>`
    );
  })}</g>`;
})}${labels(points)}</svg>`;
}

function rangeOf(values: readonly number[]): readonly [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || high || 1) * 0.25;
  return [Math.max(0, low - room), high + room];
}

function place(index: number, count: number): number {
  const inner = WIDTH - 2 * LEFT - 16;
  return Math.round(LEFT + 8 + (count === 1 ? inner / 2 : (index / (count - 1)) * inner));
}

function axis(): Html {
  return html`<line class="axis" x1="${LEFT}" x2="${WIDTH - LEFT}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM}"/>`;
}

/** The first and the last: all of them would not be read. */
function labels(points: readonly Point[]): Html {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return html``;
  return html`<text x="${LEFT}" y="${HEIGHT - 4}">${first.label}</text>${
    points.length > 1 && html`<text x="${WIDTH - LEFT}" y="${HEIGHT - 4}" text-anchor="end">${last.label}</text>`
  }`;
}

function said(points: readonly Point[], format: (value: number) => string): string {
  return points.map(({ label, value }) => `${label} ${format(value)}`).join(', ');
}

export function chart(title: string, now: string, picture: Html, key: Html | string = ''): Html {
  return html`<section class="card"><div class="card-body"><figure class="chart"><figcaption><h2>${title}</h2><span class="now">${now}</span></figcaption>${picture}${key}</figure></div></section>`;
}
