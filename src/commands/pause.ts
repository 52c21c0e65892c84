import type { App } from '../compose.ts';
import { FactoryError } from '../domain/errors.ts';
import { standingOf } from '../domain/standing.ts';
import { parseUntil } from '../domain/until.ts';
import { readMarks } from '../flows/marks.ts';
import { pause, resume } from '../flows/pause.ts';
import type { Output } from './output.ts';
import { findImage, markDeps, type StandingOptions } from './standing.ts';

interface PauseOptions extends StandingOptions {
  readonly images: readonly string[];
  readonly all: boolean;
}

/** `ingot pause`: nothing is rebuilt until it is resumed, or until a time. */
export async function pauseCommand(
  app: App,
  output: Output,
  options: PauseOptions & { readonly reason: string; readonly until?: string },
): Promise<number> {
  const deps = markDeps(app);
  const until = options.until === undefined ? {} : { until: parseUntil(options.until, deps.now()) };
  const by = options.by ?? app.config.person;
  const subjects = subjectsOf(app, options);
  for (const { repository } of subjects) {
    await pause({ repository, by, reason: options.reason, ...until }, deps, options.signal);
  }
  if (options.json) output.json(subjects.map(({ name }) => ({ name, by, reason: options.reason, ...until })));
  else for (const { name } of subjects) output.line(`${name} is paused${until.until ? ` until ${until.until}` : ''}`);
  return 0;
}

/** `ingot resume`: the end of a pause. */
export async function resumeCommand(app: App, output: Output, options: PauseOptions): Promise<number> {
  const deps = markDeps(app);
  const by = options.by ?? app.config.person;
  const results: { name: string; resumed: boolean }[] = [];
  for (const { name, repository } of subjectsOf(app, options)) {
    const ended = await resume({ repository, by }, deps, options.signal);
    results.push({ name, resumed: ended !== undefined });
  }
  if (options.json) output.json(results);
  else for (const line of await resumeLines(app, results, options)) output.line(line);
  return 0;
}

/** A pause of the whole fleet and one of an image are two: who ends one should hear of the other. */
async function resumeLines(app: App, results: readonly { name: string; resumed: boolean }[], options: PauseOptions) {
  const lines = results.map(({ name, resumed }) => `${name} ${resumed ? 'goes on' : 'was not paused'}`);
  if (options.all) {
    const paused = await Promise.all(
      app.fleet.images.map(({ name }) => isPaused(app.places.release(name), app, options)),
    );
    const names = app.fleet.images.flatMap(({ name }, index) => (paused[index] ? [name] : []));
    return names.length === 0 ? lines : [...lines, `paused on their own still: ${names.join(', ')}`];
  }
  const fleet = await isPaused(app.places.fleet(), app, options);
  return fleet ? [...lines, 'the whole fleet is still paused; "ingot resume --all" ends that'] : lines;
}

async function isPaused(repository: Parameters<typeof readMarks>[1], app: App, { signal }: PauseOptions) {
  const marks = await readMarks(app.registry, repository, { signal });
  return standingOf(marks, new Date().toISOString()).paused !== undefined;
}

function subjectsOf(app: App, { images, all }: PauseOptions) {
  if (all === images.length > 0) {
    throw new FactoryError(all ? 'name images, or --all, not both' : 'name an image, or --all', { code: 'usage' });
  }
  if (all) return [{ name: 'the whole fleet', repository: app.places.fleet() }];
  return images.map((name) => ({ name, repository: app.places.release(findImage(name, app).name) }));
}
