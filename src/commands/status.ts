import Table from 'cli-table3';
import type { App } from '../compose.ts';
import { explainDeprecation } from '../domain/end-of-life.ts';
import type { Image } from '../domain/fleet/model.ts';
import { formatReference } from '../domain/reference.ts';
import type { Standing } from '../domain/standing.ts';
import { newerNote } from '../domain/track-notes.ts';
import { upstreamName } from '../domain/upstream.ts';
import { readRelease } from '../flows/releases.ts';
import { explainError } from './errors.ts';
import type { Output } from './output.ts';
import { readStanding, standingLines } from './standing-lines.ts';

/** `ingot status`: what is in use of each image, and how its last run ended. */
export async function statusCommand(
  app: App,
  output: Output,
  options: { json: boolean; signal: AbortSignal },
): Promise<number> {
  const now = new Date().toISOString();
  const [fleet, ...rows] = await Promise.all([
    readStanding(app.registry, app.places.fleet(), now, options).catch(notAsked),
    ...app.fleet.images.map((image) => statusOf(app, image, now, options.signal)),
  ]);
  const { paused } = fleet;
  if (options.json) output.json(rows.map((row) => ({ ...row, ...(paused && { paused: row.paused ?? paused }) })));
  else {
    output.line(toTable(rows));
    for (const line of endings(rows, now)) output.line(line);
    for (const note of new Set(rows.flatMap(({ notes }) => notes))) output.line(note);
    for (const line of standingLines('the whole fleet', fleet)) output.line(line);
    for (const row of rows) for (const line of standingLines(row.image, row, row.digest)) output.line(line);
  }
  return rows.some(({ unknown }) => unknown !== undefined) ? 4 : 0;
}

interface Row {
  readonly image: string;
  readonly reference: string;
  readonly version?: string;
  readonly digest?: string;
  readonly released?: string;
  readonly platforms: readonly string[];
  /** The announced end of its life, and what takes its place. */
  readonly deprecated?: Image['deprecated'];
  readonly paused?: Standing['paused'];
  readonly quarantined: Standing['quarantined'];
  readonly unknown?: string;
  /** Versions beyond what is tracked, as the last look at the upstreams found them. */
  readonly notes: readonly string[];
  readonly lastRun?: {
    readonly id: string;
    readonly outcome: string;
    readonly endedAt?: string;
    readonly summary?: string;
  };
}

async function statusOf(app: App, image: Image, now: string, signal: AbortSignal): Promise<Row> {
  const repository = app.places.release(image.name);
  const [release, standing, [last], notes] = await Promise.all([
    readRelease(app.registry, repository, image, { signal }),
    readStanding(app.registry, repository, now, { signal }).catch(notAsked),
    app.ledger.runs({ image: image.name, limit: 1 }),
    notesOf(app, image),
  ]);
  const { name, deprecated } = image;
  const base = {
    image: name,
    reference: formatReference(repository),
    ...(deprecated && { deprecated }),
    ...standing,
    notes,
  };
  const ended = last && {
    ...(last.endedAt && { endedAt: last.endedAt }),
    ...(last.summary && { summary: last.summary }),
  };
  const lastRun = last === undefined ? {} : { lastRun: { id: last.id, outcome: last.outcome ?? 'running', ...ended } };
  if (release.state === 'unknown') return { ...base, platforms: [], unknown: release.why, ...lastRun };
  if (release.state === 'absent') return { ...base, platforms: [], ...lastRun };
  const { version, digest, created, platforms } = release.value;
  return {
    ...base,
    version,
    digest,
    ...(created && { released: created }),
    platforms: Object.keys(platforms),
    ...lastRun,
  };
}

async function notesOf({ ledger }: App, { inputs }: Image): Promise<readonly string[]> {
  const notes = inputs.map(async ({ source }) => {
    if ('golden' in source || source.track === undefined) return [];
    const newer = (await ledger.observation(upstreamName(source)))?.newer;
    return newer === undefined ? [] : [newerNote(source, newer)];
  });
  return (await Promise.all(notes)).flat();
}

function notAsked(error: unknown): Standing & { readonly unknown: string } {
  return { quarantined: [], unknown: `what people decided could not be asked: ${explainError(error)}` };
}

function endings(rows: readonly Row[], now: string): string[] {
  return rows.flatMap(({ image, deprecated }) =>
    deprecated ? [`${image}: ${explainDeprecation(deprecated, now)}`] : [],
  );
}

function toTable(rows: readonly Row[]): string {
  const table = new Table({
    head: ['image', 'version', 'digest', 'released', 'platforms', 'last run'],
    style: { head: [], border: [] },
  });
  for (const row of rows) {
    const digest = row.digest?.slice('sha256:'.length, 'sha256:'.length + 12) ?? '';
    const last = row.lastRun === undefined ? 'none' : row.lastRun.outcome;
    const version = row.version ?? (row.unknown === undefined ? 'never released' : `unknown: ${row.unknown}`);
    table.push([row.image, version, digest, row.released ?? '', row.platforms.join(' '), last]);
  }
  return table.toString();
}
