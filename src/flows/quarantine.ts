import { type Digest, isDigest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import { inputsDigest } from '../domain/inputs.ts';
import type { Mark } from '../domain/marks.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import { type Quarantine, quarantineOf, standingOf } from '../domain/standing.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { withMarkLog } from './channel-moves.ts';
import type { MarkDeps, MarkLog } from './mark-log.ts';
import { attachMissingNotes } from './quarantine-note.ts';
import { readTag } from './releases.ts';

/** A wish of a person about one release. */
export interface QuarantineRequest {
  readonly image: string;
  readonly repository: Reference;
  /** A version or a digest. */
  readonly what: string;
  readonly by: string;
  readonly reason?: string;
}

export interface QuarantineEnd {
  readonly digest: Digest;
  readonly version?: string;
  /** False when it was so already. */
  readonly changed: boolean;
}

/** Bars a release for good: its digest, the inputs that made it, and the same content under any other version. */
export async function quarantineRelease(
  { repository, what, by, reason, image }: QuarantineRequest,
  deps: MarkDeps,
  signal: AbortSignal,
): Promise<QuarantineEnd> {
  return withMarkLog(repository, deps, signal, async ({ log }) => {
    const release = isDigest(what)
      ? { digest: what }
      : await digestOfVersion(deps.registry, { repository, image, version: what }, { signal });
    const mark = await addQuarantine(log, repository, { ...release, by, ...(reason && { reason }) }, deps, signal);
    await attachMissingNotes(deps.registry, repository, log.marks, { signal });
    const { digest, version } = mark ?? quarantineOf(standingOf(log.marks, log.at), release)!;
    return { digest: digest!, ...(version && { version }), changed: mark !== undefined };
  });
}

/** Writes the mark, with all that is known of the release. `undefined` when it is quarantined already. */
export async function addQuarantine(
  log: MarkLog,
  repository: Reference,
  { digest, by, reason }: { digest: Digest; by: string; reason?: string },
  { registry }: MarkDeps,
  signal: AbortSignal,
): Promise<Mark | undefined> {
  const { quarantined } = standingOf(log.marks, log.at);
  if (quarantined.some((each) => each.digest === digest)) return undefined;
  const release = await readTag(registry, atDigest(repository, digest), { signal });
  const inputs = release?.inputs && inputsDigest(release.inputs);
  const known = {
    ...(release?.version && { version: release.version }),
    ...(inputs && { inputs }),
    ...(release && Object.keys(release.platforms).length > 0 && { platforms: release.platforms as Mark['platforms'] }),
  };
  await log.add({ kind: 'quarantine', digest, ...known, by, ...(reason && { reason }) });
  return log.marks.at(-1);
}

/** Lets a release in again; the next cycle may promote it. @throws FactoryError `usage` for one that is not quarantined */
export async function liftQuarantine(
  { image, repository, what, by, reason }: QuarantineRequest,
  deps: MarkDeps,
  signal: AbortSignal,
): Promise<QuarantineEnd> {
  return withMarkLog(repository, deps, signal, async ({ log }) => {
    const { quarantined } = standingOf(log.marks, log.at);
    const found = quarantined.filter(({ digest, version }) => digest === what || version === what);
    if (found.length === 0) throw notQuarantined(image, what, quarantined);
    for (const { digest, version } of found) {
      const more = { ...(version && { version }), ...(reason && { reason }) };
      await log.add({ kind: 'unquarantine', digest, by, ...more });
    }
    await attachMissingNotes(deps.registry, repository, log.marks, { signal });
    const { digest, version } = found[0]!;
    return { digest, ...(version && { version }), changed: true };
  });
}

async function digestOfVersion(
  registry: Registry,
  { repository, image, version }: { repository: Reference; image: string; version: string },
  call: Call,
): Promise<{ digest: Digest }> {
  const head = await registry.head(atTag(repository, version), call);
  if (head !== undefined) return { digest: head.digest };
  const message = `${image} has no version ${version} in the registry; name its digest to bar it all the same`;
  throw new FactoryError(message, { code: 'usage' });
}

function notQuarantined(image: string, what: string, all: readonly Quarantine[]): FactoryError<'usage'> {
  const names = all.map(({ version, digest }) => version ?? digest).join(', ') || 'nothing';
  return new FactoryError(`${what} of ${image} is not quarantined; quarantined is ${names}`, { code: 'usage' });
}
