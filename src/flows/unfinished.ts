import pLimit from 'p-limit';
import { channelPositions } from '../domain/channel-journal.ts';
import type { Image } from '../domain/fleet/model.ts';
import type { Places } from '../domain/places.ts';
import { atTag } from '../domain/reference.ts';
import { finishMoves } from './channel-moves.ts';
import type { MarkDeps } from './mark-log.ts';
import { readMarks } from './marks.ts';

const AT_ONCE = 16;

/**
 * Moves that a killed process decided on and did not come to the end of, a rollback above all. The tag of the line
 * moves last: where it is in its place, nothing more is asked. What cannot be asked is left for the plan to say.
 * @returns the images that were put right
 */
export async function finishUnfinished(
  images: readonly Image[],
  deps: MarkDeps & { readonly places: Places },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const limit = pLimit(AT_ONCE);
  const results = await Promise.all(images.map((image) => limit(() => finishImage(image, deps, signal))));
  return images.flatMap(({ name }, index) => (results[index] ? [name] : []));
}

async function finishImage(
  { name, line }: Image,
  deps: MarkDeps & { readonly places: Places },
  signal: AbortSignal,
): Promise<boolean> {
  const repository = deps.places.release(name);
  try {
    const position = channelPositions(await readMarks(deps.registry, repository, { signal })).get(line);
    if (position === undefined) return false;
    const head = await deps.registry.head(atTag(repository, line), { signal });
    if (head?.digest === position.digest) return false;
    return (await finishMoves(repository, deps, signal)).length > 0;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}
