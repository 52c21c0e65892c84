import { formatFor } from '../domain/bump/formats.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Reference } from '../domain/reference.ts';
import { repositoryOf } from '../domain/reference.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import { messageOf } from './steps.ts';

/** A place outside that names an image of ours. */
export interface FoundPin {
  readonly reference: Reference;
  /** `acme/shop (Dockerfile:3)` */
  readonly where: string;
}

export interface Pins {
  readonly pins: readonly FoundPin[];
  /** What could not be asked: anything may be pinned there. */
  readonly unknown: readonly string[];
}

const MAX_FILE_BYTES = 1024 * 1024;

/** Reads every downstream for pins of these repositories. */
export async function findPins(
  downstreams: readonly ForgeRepository[],
  repositories: readonly Reference[],
  signal: AbortSignal,
): Promise<Pins> {
  const names = repositories.map(repositoryOf);
  const found = await Promise.all(downstreams.map((downstream) => pinsOf(downstream, names, signal)));
  return { pins: found.flatMap(({ pins }) => pins), unknown: found.flatMap(({ unknown }) => unknown) };
}

async function pinsOf(downstream: ForgeRepository, names: readonly string[], signal: AbortSignal): Promise<Pins> {
  try {
    const { commit } = await downstream.head({ signal });
    const files = (await downstream.files(commit, { signal })).filter(({ path }) => formatFor(path) !== undefined);
    const pins: FoundPin[] = [];
    const unknown: string[] = [];
    for (const file of files) {
      const { path, size, mode } = file;
      if (size > MAX_FILE_BYTES) unknown.push(`${path} of ${downstream.name} is too large to be read`);
      else if (mode.startsWith('100')) {
        const content = await downstream.read(file, { signal });
        const places = formatFor(path)!.findPins(content, names);
        pins.push(
          ...places.map(({ reference, line }) => ({ reference, where: `${downstream.name} (${path}:${line})` })),
        );
      }
    }
    return { pins, unknown };
  } catch (error) {
    if (signal.aborted || !(error instanceof FactoryError)) throw error;
    return { pins: [], unknown: [`${downstream.name} could not be asked: ${messageOf(error)}`] };
  }
}
