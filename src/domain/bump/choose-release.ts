import semver from 'semver';
import { isOfLine, isVersionTag } from '../version.ts';
import type { ImageChange, ReleaseChoice } from './format.ts';
import { explainUpdate, type Update } from './policy.ts';

export type Choice = { readonly release: ReleaseChoice } | { readonly none: string };

/**
 * The newest release that the policy of a pin lets it have.
 * @param pinned the version that it names, as far as that is known: `12.0.1`, `12.4`, `12`
 * @param tag as it stands there
 * @param leaving it must not stay, so that older releases count as well
 */
export function chooseRelease(
  { pinned, tag }: { readonly pinned: string | undefined; readonly tag: string | undefined },
  update: Update,
  change: ImageChange,
  { leaving }: { readonly leaving: boolean },
): Choice {
  const { version, digest, platforms } = change;
  const own: ReleaseChoice = { version, digest, ...(platforms && { platforms }) };
  const allowed = allows(update, pinned, tag, leaving);
  if (allowed(version)) return { release: own };
  const others = (change.releases ?? []).filter(
    (each) =>
      allowed(each.version) &&
      semver.lt(each.version, version) &&
      !change.quarantined?.some((bad) => bad.digest === each.digest || bad.version === each.version),
  );
  const newest = [...others].sort((a, b) => semver.rcompare(a.version, b.version))[0];
  if (newest !== undefined) return { release: newest };
  const place = pinned ?? tag;
  return { none: `${explainUpdate(update)} does not let ${place === undefined ? 'it' : place} go to ${version}` };
}

function allows(
  update: Update,
  pinned: string | undefined,
  tag: string | undefined,
  leaving: boolean,
): (version: string) => boolean {
  if (typeof update === 'object') return (version) => semver.satisfies(version, update.range);
  if (update === 'digest-only') {
    const isFixed = tag !== undefined && /^\d+(\.\d+)*$/.test(tag);
    return (version) => !isFixed || version === tag || isOfLine(tag, version);
  }
  // What leaves a quarantined release has to go somewhere, which counts for more than how far.
  if (update !== 'patch' || leaving || pinned === undefined || !isVersionTag(pinned)) return () => true;
  const { major, minor } = semver.parse(pinned)!;
  return (version) => isOfLine(`${major}.${minor}`, version);
}
