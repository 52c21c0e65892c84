import type { App } from '../compose.ts';
import { decideStages, explainWait, isStaged } from '../domain/channel-stages.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Image } from '../domain/fleet/model.ts';
import { approve, askGatesAgain, openFreeze, promote } from '../flows/promote.ts';
import { readStages } from '../flows/stage-facts.ts';
import type { StageReport } from '../flows/stages.ts';
import { stageDeps } from './flow-deps.ts';
import type { Output } from './output.ts';
import { requireImages } from './require-images.ts';

/** What the verbs of channels need of the whole factory. */
export interface ChannelApp extends Pick<App, 'registry' | 'ledger' | 'places' | 'fleet' | 'attestor' | 'gates'> {
  readonly config: Pick<App['config'], 'person'>;
}

/** `ingot channels`: where each channel is, and what newer releases wait for. */
export async function channelsCommand(
  app: ChannelApp,
  output: Output,
  { images, json, signal }: { images: readonly string[]; json: boolean; signal: AbortSignal },
): Promise<number> {
  requireImages(images, app.fleet.images);
  const wanted = app.fleet.images.filter(({ name }) => images.length === 0 || images.includes(name));
  const rows = (await Promise.all(wanted.map((image) => channelsOf(image, app, signal)))).flat();
  if (json) output.json(rows);
  else for (const row of rows) output.line(toText(row));
  return 0;
}

interface Row {
  readonly image: string;
  readonly channel: string;
  readonly version?: string;
  /** How it moves: with each release, or later. */
  readonly staged: boolean;
  readonly waiting: readonly { readonly version: string; readonly because: readonly string[] }[];
}

async function channelsOf(image: Image, app: ChannelApp, signal: AbortSignal): Promise<Row[]> {
  const deps = stageDeps(app);
  const stages = await readStages(image, deps, { signal });
  const staged = new Set(deps.settings.channels.filter(isStaged).map(({ name }) => name));
  return decideStages(stages).map(({ channel, current, target, waiting }) => ({
    image: image.name,
    channel,
    ...(current && { version: current }),
    staged: staged.has(channel),
    waiting: [
      ...waiting.map(({ release, waits }) => ({ version: release.version, because: waits.map(explainWait) })),
      ...(target ? [{ version: target.version, because: ['moves there with the next cycle'] }] : []),
    ],
  }));
}

function toText({ image, channel, version, waiting }: Row): string {
  const where = `${image} ${channel}: ${version ?? 'points nowhere yet'}`;
  return [where, ...waiting.map((each) => `    ${each.version} ${each.because.join('; ')}`)].join('\n');
}

export interface ByHandOptions {
  readonly reason: string;
  readonly by?: string;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

/** `ingot promote`: one channel by hand, or an image through a freeze of everything. */
export async function promoteCommand(
  app: ChannelApp,
  output: Output,
  options: ByHandOptions & { image: string; channel?: string; emergency: boolean },
): Promise<number> {
  const [name = '', version] = options.image.split(':');
  const request = { image: findImage(name, app), by: options.by ?? app.config.person, reason: options.reason };
  const { channel, emergency, json, signal } = options;
  if (channel === undefined) return await letThrough(app, output, { ...options, name, request });
  const result = await promote({ ...request, channel, emergency, ...(version && { version }) }, stageDeps(app), signal);
  if (json) output.json({ image: name, ...result });
  else {
    const over = result.overruled.map(explainWait).map((why) => ` (although it ${why})`);
    output.line(
      result.moved
        ? `${name}: ${channel} is at ${result.version} now${over.join('')}`
        : `${name}: ${channel} was at ${result.version} already`,
    );
  }
  return 0;
}

async function letThrough(
  app: ChannelApp,
  output: Output,
  {
    name,
    request,
    emergency,
    json,
    signal,
  }: Parameters<typeof promoteCommand>[2] & {
    name: string;
    request: Parameters<typeof openFreeze>[0];
  },
): Promise<number> {
  if (!emergency) {
    throw new FactoryError('name a channel with --channel; --emergency alone lets an image through a freeze', {
      code: 'usage',
    });
  }
  const until = await openFreeze(request, stageDeps(app), signal);
  if (json) output.json({ image: name, until });
  else output.line(`${name} may be rebuilt until ${until}, whatever is frozen; "ingot run" does it`);
  return 0;
}

/** `ingot approve`: the word of a person for one release and one channel. */
export async function approveCommand(
  app: ChannelApp,
  output: Output,
  options: ByHandOptions & { image: string; version: string; channel: string },
): Promise<number> {
  const { version, channel, reason, json, signal } = options;
  const image = findImage(options.image, app);
  const by = options.by ?? app.config.person;
  await approve({ image, version, channel, by, reason }, stageDeps(app), signal);
  if (json) output.json({ image: image.name, version, channel, by });
  else
    output.line(
      `${image.name} ${version} is approved for ${channel} by ${by}; the next cycle moves it, if nothing else is waited for`,
    );
  return 0;
}

/** `ingot gates`: asks the gates after a release again, such as one that refused by mistake. */
export async function gatesCommand(
  app: ChannelApp,
  output: Output,
  { image: text, json, signal }: { image: string; json: boolean; signal: AbortSignal },
): Promise<number> {
  const [name = '', version] = text.split(':');
  const asked = await askGatesAgain(
    { image: findImage(name, app), ...(version && { version }) },
    stageDeps(app),
    signal,
  );
  if (json) output.json({ image: name, ...asked });
  else if (asked.results.length === 0) output.line(`${name} has no gates after its releases`);
  else {
    for (const { gate, passed, message } of asked.results) {
      output.line(`${name} ${asked.version}: ${gate} ${passed ? 'passed' : `refused: ${message}`}`);
    }
  }
  return asked.results.every(({ passed }) => passed) ? 0 : 3;
}

function findImage(name: string, { fleet }: Pick<App, 'fleet'>): Image {
  requireImages([name], fleet.images);
  return fleet.images.find((image) => image.name === name)!;
}

/** What a cycle did to channels, a line each. */
export function stageLines(reports: readonly StageReport[]): string[] {
  return reports.flatMap(({ image, moved, problems }) => [
    ...moved.map(({ channel, from, to }) => `${image}: ${channel} moved ${from ? `from ${from} ` : ''}to ${to}`),
    ...problems.map((problem) => (problem.startsWith(image) ? problem : `${image}: ${problem}`)),
  ]);
}
