import { basename } from 'node:path';
import type { ProposeEnd, ProposeLine } from '../queue/dispatcher.ts';

export interface WaitingContext {
  readonly images: readonly string[];
  /** Looks, and writes nothing. */
  readonly look: (image: string, signal: AbortSignal) => Promise<ProposeEnd>;
  readonly json: boolean;
  readonly print: (text: string) => void;
  readonly signal: AbortSignal;
}

const IN_ORDER = ['none', 'unchanged'];

/** `ingot pulls waiting`: what is to come, what it waits for, and until when. @returns the exit code */
export async function pullsWaiting({ images, look, json, print, signal }: WaitingContext): Promise<number> {
  const ends: ProposeEnd[] = [];
  for (const image of images) ends.push(await look(image, signal));
  if (json) print(JSON.stringify({ images: ends }, null, 2));
  else for (const line of linesOf(ends)) print(line);
  return ends.some(({ results }) => results.some(({ action }) => action === 'unknown')) ? 4 : 0;
}

function linesOf(ends: readonly ProposeEnd[]): string[] {
  const lines = ends.flatMap(({ image, results, forecasts = [] }) => [
    ...results.filter(isWorthSaying).map((result) => `${image}: ${lineOf(result)}`),
    ...forecasts.map((forecast) => `${image}: ${forecast}`),
  ]);
  return lines.length === 0 ? ['nothing waits: every downstream is in order'] : lines;
}

/** An open one that is in order is worth a word when somebody should look at it. */
function isWorthSaying({ action, message }: ProposeLine): boolean {
  return !IN_ORDER.includes(action) || (action === 'unchanged' && message !== undefined);
}

function lineOf({ repository, base, action, number, message }: ProposeLine): string {
  const pull = number === undefined ? '' : `#${number}`;
  const branch = base === undefined ? '' : ` (${base})`;
  return `${basename(repository, '.git')}${pull}${branch} ${action}${message === undefined ? '' : `: ${message}`}`;
}
