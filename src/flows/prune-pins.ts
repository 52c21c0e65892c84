import { formatFor } from '../domain/bump/formats.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Reference } from '../domain/reference.ts';
import { repositoryOf } from '../domain/reference.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import { messageOf } from './steps.ts';

/** A place outside that names an image of ours. */
export interface FoundPin {
  /** In our own registry. */
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

/** Reads every downstream for pins. @param repositories what a downstream may call them, and which they are */
export async function findPins(
  downstreams: readonly ForgeRepository[],
  repositories: ReadonlyMap<string, Reference>,
  signal: AbortSignal,
): Promise<Pins> {
  const found = await Promise.all(downstreams.map((downstream) => pinsOf(downstream, repositories, signal)));
  return { pins: found.flatMap(({ pins }) => pins), unknown: found.flatMap(({ unknown }) => unknown) };
}

async function pinsOf(
  downstream: ForgeRepository,
  repositories: ReadonlyMap<string, Reference>,
  signal: AbortSignal,
): Promise<Pins> {
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
        for (const { reference, line } of formatFor(path)!.findPins(content, [...repositories.keys()])) {
          const { registry, repository } = repositories.get(repositoryOf(reference)) ?? reference;
          const where = `${downstream.name} (${path}:${line})`;
          pins.push({ reference: { ...reference, registry, repository }, where });
        }
      }
    }
    return { pins, unknown };
  } catch (error) {
    if (signal.aborted || !(error instanceof FactoryError)) throw error;
    return { pins: [], unknown: [`${downstream.name} could not be asked: ${messageOf(error)}`] };
  }
}
