import { FactoryError } from '../domain/errors.ts';
import { atTag, type Reference } from '../domain/reference.ts';
import type { Reason } from '../domain/staleness.ts';
import { isOfLine, nextVersion, rivalsFor, takenVersions, versionGiven } from '../domain/version.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { inTurn } from './channel-moves.ts';
import { readVersion } from './channel-tags.ts';
import { type MarkDeps, openMarkLog } from './mark-log.ts';
import { readMarks } from './marks.ts';

export interface VersionRequest {
  readonly line: string;
  /** Names of the fleet's channels: what is behind them counts as well. */
  readonly channels: readonly string[];
  /** Of the candidate: given the same one again, as long as it was not used. */
  readonly key: string;
  readonly reasons: readonly Reason[];
  /** Versions of earlier runs: a registry that lost everything does not know them any more. */
  readonly released?: readonly string[];
}

const TRIES = 20;

/**
 * Gives out the next version of an image: above every version tag, every version behind a channel, and every one
 * that was given out before, also when its tag is gone. Two that ask at once get two.
 */
export async function takeVersion(
  repository: Reference,
  request: VersionRequest,
  deps: MarkDeps,
  signal: AbortSignal,
): Promise<string> {
  return inTurn(repository, deps, signal, async (lock) => {
    const { line, key, reasons, released = [] } = request;
    const there = await seenVersions(repository, request, deps.registry, { signal });
    const seen = [...there, ...released];
    const passed: string[] = [];
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const { marks, add } = await openMarkLog(repository, lock, deps, signal);
      const given = versionGiven(line, key, { seen, marks });
      if (given !== undefined) return given;
      const version = nextVersion(line, [...takenVersions({ seen, marks }), ...passed], reasons);
      await add({ kind: 'version', version, by: 'ingot', note: key });
      const rivals = rivalsFor(version, key, await readMarks(deps.registry, repository, { signal }));
      if (rivals.length === 0) return version;
      // Each goes on by its place among them, or they would meet again.
      for (const _ of rivals.filter((rival) => rival < key)) passed.push(nextVersion(line, [version, ...passed], []));
    }
    throw new FactoryError(`${repository.repository}: somebody else takes every version first; run again`, {
      code: 'conflict',
      retryable: true,
    });
  });
}

async function seenVersions(
  repository: Reference,
  { line, channels }: VersionRequest,
  registry: Registry,
  call: Call,
): Promise<readonly string[]> {
  const tags = await registry.tags(repository, call);
  const isChannel = (tag: string) => tag === line || channels.includes(tag) || isNarrow(tag, line);
  const behind = tags.filter(isChannel).map((tag) => readVersion(registry, atTag(repository, tag), call));
  return [...tags, ...(await Promise.all(behind)).flatMap((version) => version ?? [])];
}

function isNarrow(tag: string, line: string): boolean {
  return /^\d+\.\d+$/.test(tag) && isOfLine(line, tag);
}
