import type { App } from '../compose.ts';
import { FactoryError } from '../domain/errors.ts';
import { parseImageName } from '../domain/image-name.ts';
import { type Platform, zPlatform } from '../domain/platform.ts';
import { diffImages, type Named } from '../flows/diff.ts';
import { diffLines } from './diff-lines.ts';
import { diffMarkdown } from './diff-markdown.ts';
import type { Output } from './output.ts';

export interface DiffOptions {
  readonly before: string;
  readonly after: string;
  readonly platforms: readonly string[];
  readonly json: boolean;
  readonly markdown: boolean;
  readonly signal: AbortSignal;
}

export type DiffApp = Pick<App, 'registry' | 'cataloguer' | 'scanner'> & {
  readonly fleet: { readonly images: Parameters<typeof parseImageName>[1] };
  readonly places: Pick<App['places'], 'release'>;
  readonly packages: Pick<App['packages'], 'stateOf'>;
  readonly cycle: Pick<App['cycle'], 'sourceOf'>;
};

/**
 * `ingot diff A B`: what differs between two images of this fleet or of any registry; nothing is touched.
 * @returns 0, also when much differs
 */
export async function diffCommand(app: DiffApp, output: Output, options: DiffOptions): Promise<number> {
  const { before, after, platforms, json, markdown, signal } = options;
  const { registry, cataloguer, scanner, packages } = app;
  const deps = { registry, cataloguer, scanner, stateOf: packages.stateOf };
  const pair = [nameOf(before, app), nameOf(after, app)] as const;
  const diff = await diffImages(pair, platforms.map(parsePlatform), deps, { signal });
  if (json) output.json(diff);
  else for (const line of markdown ? [diffMarkdown(diff)] : diffLines(diff)) output.line(line);
  return 0;
}

function nameOf(text: string, { fleet, places, cycle }: DiffApp): Named {
  const { reference, ours } = parseImageName(text, fleet.images, places);
  return { name: text, reference: ours ? reference : cycle.sourceOf(reference) };
}

function parsePlatform(text: string): Platform {
  const parsed = zPlatform.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new FactoryError(`"${text}" is no platform; write linux/amd64 or linux/arm/v7`, { code: 'usage' });
}
