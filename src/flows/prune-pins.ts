import { createPinRules, REPOSITORY_FILE } from '../domain/bump/rules.ts';
import { FactoryError } from '../domain/errors.ts';
import { NO_PIN_SETTINGS, type PinSettings } from '../domain/fleet/settings-pins.ts';
import type { Reference } from '../domain/reference.ts';
import { repositoryOf } from '../domain/reference.ts';
import type { ForgeRepository } from '../forge/forge.ts';
import { isRegular, readPinFile, readRepositoryFile } from './repository-rules.ts';
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

/** Reads every downstream for pins. @param repositories what a downstream may call them, and which they are */
export async function findPins(
  downstreams: readonly ForgeRepository[],
  repositories: ReadonlyMap<string, Reference>,
  signal: AbortSignal,
  settings: PinSettings = NO_PIN_SETTINGS,
): Promise<Pins> {
  const found = await Promise.all(downstreams.map((each) => pinsOf(each, repositories, settings, signal)));
  return { pins: found.flatMap(({ pins }) => pins), unknown: found.flatMap(({ unknown }) => unknown) };
}

async function pinsOf(
  downstream: ForgeRepository,
  repositories: ReadonlyMap<string, Reference>,
  settings: PinSettings,
  signal: AbortSignal,
): Promise<Pins> {
  try {
    const { commit } = await downstream.head({ signal });
    const files = await downstream.files(commit, { signal });
    const read = await readRepositoryFile(downstream, files, signal);
    if ('mistakes' in read) return { pins: [], unknown: [`${REPOSITORY_FILE} of ${downstream.name} cannot be read`] };
    // What is not to be moved is in use all the same.
    const rules = createPinRules([settings, read.settings].map((each) => ({ ...each, ignore: [] })));
    const pins: FoundPin[] = [];
    const unknown: string[] = [];
    for (const file of files) {
      const { path } = file;
      const format = rules.formatFor(path);
      if (format === undefined || !isRegular(file)) continue;
      const { content } = await readPinFile(downstream, file, signal);
      if (content === undefined) {
        unknown.push(`${path} of ${downstream.name} is too large to be read`);
        continue;
      }
      for (const { reference, line } of format.findPins(content, [...repositories.keys()])) {
        const { registry, repository } = repositories.get(repositoryOf(reference)) ?? reference;
        const where = `${downstream.name} (${path}:${line})`;
        pins.push({ reference: { ...reference, registry, repository }, where });
      }
    }
    return { pins, unknown };
  } catch (error) {
    if (signal.aborted || !(error instanceof FactoryError)) throw error;
    return { pins: [], unknown: [`${downstream.name} could not be asked: ${messageOf(error)}`] };
  }
}
