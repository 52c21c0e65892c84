import semver from 'semver';
import { readMarker } from '../domain/pull-request-marker.ts';
import type { PullView } from '../domain/service/views.ts';

/** A pull request with what it moves. */
export interface Bump extends PullView {
  readonly image: string;
  readonly version: string;
}

/** What a downstream repository pins of an image, as its pull requests tell. */
export interface Pin {
  readonly repository: string;
  readonly image: string;
  /** The newest that was merged; absent: only what was there before ingot. */
  readonly version?: string;
  readonly since?: string;
  /** The newest that is open. */
  readonly open?: Bump;
}

/** Pull requests of ingot's own making; those of others say no image. */
export function bumpsOf(pulls: readonly PullView[]): readonly Bump[] {
  return pulls.flatMap((pull) => {
    const marker = readMarker(pull.body);
    return marker === undefined ? [] : [{ ...pull, image: marker.image, version: marker.version }];
  });
}

/** By repository, then image. */
export function pinsOf(bumps: readonly Bump[]): readonly Pin[] {
  const groups = Map.groupBy(bumps, ({ repository, image }) => `${repository}\0${image}`);
  const pins = [...groups.values()].map((group): Pin => {
    const { repository, image } = group[0]!;
    const merged = newest(group.filter(({ state }) => state === 'merged'));
    const open = newest(group.filter(({ state }) => state === 'open'));
    return {
      ...{ repository, image },
      ...(merged && { version: merged.version }),
      ...(merged?.updatedAt && { since: merged.updatedAt }),
      ...(open && { open }),
    };
  });
  return pins.sort((a, b) => a.repository.localeCompare(b.repository) || a.image.localeCompare(b.image));
}

/** The last word of a repository counts: a pin that was moved back is the newer one. */
function newest(bumps: readonly Bump[]): Bump | undefined {
  return [...bumps].sort((a, b) => (a.updatedAt ?? '').localeCompare(b.updatedAt ?? '') || a.number - b.number).at(-1);
}

export interface Adoption {
  readonly image: string;
  /** Newest version first. */
  readonly versions: readonly { readonly version: string; readonly repositories: number }[];
  readonly open: number;
}

/** How many repositories have come how far, by image. */
export function adoptionOf(pins: readonly Pin[]): readonly Adoption[] {
  const groups = [...Map.groupBy(pins, ({ image }) => image)].sort(([a], [b]) => a.localeCompare(b));
  return groups.map(([image, group]) => {
    const by = Map.groupBy(
      group.filter(({ version }) => version !== undefined),
      ({ version }) => version!,
    );
    const versions = [...by].map(([version, each]) => ({ version, repositories: each.length }));
    return {
      image,
      versions: versions.sort((a, b) => compare(b.version, a.version)),
      open: group.filter(({ open }) => open !== undefined).length,
    };
  });
}

function compare(a: string, b: string): number {
  return semver.valid(a) && semver.valid(b) ? semver.compare(a, b) : a.localeCompare(b);
}

const STUCK_DAYS = 7;
const DAY_MS = 86_400_000;

/** Open for longer than a team should need. */
export function isStuck({ state, createdAt }: Pick<PullView, 'state' | 'createdAt'>, now: Date): boolean {
  return state === 'open' && createdAt !== undefined && now.getTime() - Date.parse(createdAt) > STUCK_DAYS * DAY_MS;
}
