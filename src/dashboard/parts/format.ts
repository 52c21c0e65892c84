import { html } from 'hono/html';
import type { Html } from '../../api/pages/page.ts';
import type { Digest } from '../../domain/digest.ts';
import type { Platform } from '../../domain/platform.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `3 min ago`, with the moment itself for whoever asks. */
export function ago(time: string | undefined, now: Date): Html | string {
  if (time === undefined) return '–';
  const at = Date.parse(time);
  if (Number.isNaN(at)) return time;
  const passed = now.getTime() - at;
  const size = formatCoarse(Math.abs(passed));
  const words = Math.abs(passed) < 5 * SECOND ? 'just now' : passed < 0 ? `in ${size}` : `${size} ago`;
  return html`<time datetime="${new Date(at).toISOString()}" title="${moment(time)}">${words}</time>`;
}

function formatCoarse(ms: number): string {
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.round(ms / HOUR)} h`;
  return `${Math.round(ms / DAY)} d`;
}

/** `2026-12-24 18:00:05 UTC` */
export function moment(time: string): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? time : `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

export function day(time: string): string {
  return time.slice(0, 10);
}

/** States are words; the colour only says them again. */
export function badge(state: string, word = state): Html {
  return html`<span class="badge s-${state}">${word}</span>`;
}

export function digestText(digest: Digest | undefined): Html | string {
  if (digest === undefined) return '–';
  return html`<code title="${digest}">${digest.slice(7, 19)}</code>`;
}

export function imageLink(name: string): Html {
  return html`<a href="${imagePath(name)}">${name}</a>`;
}

export function imagePath(name: string): string {
  return `/images/${encodeURIComponent(name)}`;
}

export function shortPlatform(platform: Platform | string): string {
  return platform.replace(/^linux\//, '');
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

/** A link only where a browser would not be led astray. */
export function outsideLink(url: string | undefined, text: string): Html | string {
  return url !== undefined && /^https?:\/\//i.test(url)
    ? html`<a href="${url}" rel="noreferrer noopener">${text}</a>`
    : text;
}
