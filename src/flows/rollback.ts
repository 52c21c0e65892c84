import { channelPositions } from '../domain/channel-journal.ts';
import { unfinishedMoves } from '../domain/channel-moves.ts';
import type { Digest } from '../domain/digest.ts';
import { FactoryError } from '../domain/errors.ts';
import type { Image } from '../domain/fleet/model.ts';
import { atDigest, atTag, type Reference } from '../domain/reference.ts';
import { channelsAhead, decideTarget, isQuarantined, type RollbackFacts, releasesLeft } from '../domain/rollback.ts';
import { quarantineOf, standingOf } from '../domain/standing.ts';
import { isOfLine } from '../domain/version.ts';
import { RegistryError } from '../registry/registry.ts';
import type { Attestor } from '../signer/signer.ts';
import { applyMoves, type Turn, withMarkLog } from './channel-moves.ts';
import { readChannelTags } from './channel-tags.ts';
import type { MarkDeps } from './mark-log.ts';
import { addQuarantine } from './quarantine.ts';
import { attachMissingNotes } from './quarantine-note.ts';
import { readTag } from './releases.ts';
import { requireVerified } from './verify.ts';

export interface RollbackRequest {
  readonly image: Image;
  readonly repository: Reference;
  /** Names of the fleet's channels. */
  readonly channels: readonly string[];
  /** A version; absent: the newest before the one in use that is not quarantined. */
  readonly to?: string | undefined;
  readonly by: string;
  readonly reason: string;
}

export interface RollbackDeps extends MarkDeps {
  readonly attestor: Attestor;
}

export interface RollbackEnd {
  /** What is in use now. */
  readonly version: string;
  readonly digest: Digest;
  /** What was left, and is quarantined now. */
  readonly left: readonly { readonly version: string; readonly digest: Digest }[];
  /** Channels that moved. */
  readonly channels: readonly string[];
  /** It was rolled back before, and nobody named another version: nothing but what was left undone is done. */
  readonly already: boolean;
}

/**
 * Takes the channels of an image back to a release that is whole, signed and not quarantined, and quarantines what
 * they leave. The marks come first, then the tags: a repeated call goes on where a killed one ended.
 */
export async function rollBack(
  request: RollbackRequest,
  deps: RollbackDeps,
  signal: AbortSignal,
): Promise<RollbackEnd> {
  const { repository, image, to } = request;
  return withMarkLog(repository, deps, signal, async (turn) => {
    const position = channelPositions(turn.log.marks).get(image.line);
    if (to === undefined && position?.back) {
      await applyMoves(repository, { moves: [], by: request.by }, turn, deps, signal);
      await attachMissingNotes(deps.registry, repository, turn.log.marks, { signal });
      const { version, digest } = position;
      return { version, digest, left: [], channels: [], already: true };
    }
    return rollBackInTurn(request, turn, deps, signal);
  });
}

async function rollBackInTurn(request: RollbackRequest, turn: Turn, deps: RollbackDeps, signal: AbortSignal) {
  const { repository, image, by, reason } = request;
  const { log } = turn;
  const facts = await gather(request, turn, deps, signal);
  const version = decideTarget(facts);
  const digest = await requireWhole(request, version, facts, deps, signal);
  const ahead = channelsAhead(facts, version);
  if (ahead.length === 0) {
    throw new FactoryError(`no channel of ${image.name} is ahead of ${version}: there is nothing to roll back`, {
      code: 'usage',
    });
  }
  const left = releasesLeft(facts, ahead);
  for (const release of left) await addQuarantine(log, repository, { ...release, by, reason }, deps, signal);
  const moves = ahead.map((channel) => ({ channel, version, digest, back: true }));
  await applyMoves(repository, { moves, by, reason }, turn, deps, signal);
  await attachMissingNotes(deps.registry, repository, log.marks, { signal });
  return { version, digest, left, channels: ahead, already: false };
}

async function gather(
  { image, repository, channels, to }: RollbackRequest,
  { log }: Turn,
  { registry }: RollbackDeps,
  signal: AbortSignal,
): Promise<RollbackFacts> {
  const { name, line } = image;
  const tags = await registry.tags(repository, { signal });
  const narrow = tags.filter((tag) => /^\d+\.\d+$/.test(tag) && isOfLine(line, tag));
  const names = [...new Set([...channels, ...channelPositions(log.marks).keys(), ...narrow, line])];
  const found = await readChannelTags(registry, repository, names, log.marks, { signal });
  // What a killed release has decided on counts as done.
  const open = unfinishedMoves(log.marks, found).map((each) => [each.channel, each] as const);
  const { quarantined } = standingOf(log.marks, log.at);
  return {
    image: name,
    line,
    tags,
    channels: new Map([...found, ...open]),
    quarantined,
    ...(to !== undefined && { to }),
  };
}

/** @returns the digest of a version that consumers can be sent to */
async function requireWhole(
  { image, repository }: RollbackRequest,
  version: string,
  { quarantined }: RollbackFacts,
  { registry, attestor }: RollbackDeps,
  signal: AbortSignal,
): Promise<Digest> {
  const release = await readTag(registry, atTag(repository, version), { signal });
  if (release === undefined) throw missing(`${image.name} ${version}`);
  const { digest, platforms } = release;
  const quarantine = quarantineOf({ quarantined }, { digest, platforms });
  if (quarantine !== undefined) throw isQuarantined(image.name, version, quarantine);
  const children = Object.entries(platforms).map(([platform, child]) => ({
    platform,
    at: atDigest(repository, child!),
  }));
  for (const { platform, at } of children) {
    if ((await registry.head(at, { signal })) === undefined) throw missing(`${image.name} ${version} for ${platform}`);
  }
  await requireVerified([atDigest(repository, digest), ...children.map(({ at }) => at)], attestor, signal);
  return digest;
}

function missing(what: string): RegistryError {
  return new RegistryError(`${what} is not in the registry any more; name another version with --to`, {
    code: 'missing-content',
  });
}
