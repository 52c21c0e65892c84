import type { MoveDecision } from '../domain/channel-moves.ts';
import { channelsAtRelease } from '../domain/channel-stages.ts';
import { FactoryError } from '../domain/errors.ts';
import { isCritical } from '../domain/freeze.ts';
import { atTag } from '../domain/reference.ts';
import { channelsOf } from '../domain/version.ts';
import { RegistryError } from '../registry/registry.ts';
import { refuseQuarantined } from './admit.ts';
import type { CandidateIndex } from './candidate-index.ts';
import { inTurn, moveChannels } from './channel-moves.ts';
import type { ReleaseDeps, ReleaseJob } from './release.ts';
import { requireTurn } from './repository-lock.ts';
import type { Ending, Step } from './steps.ts';

type FindIndex = (signal: AbortSignal) => Promise<CandidateIndex>;

/** The version's own tag: never moved, never reused. */
export function tagStep(job: ReleaseJob, deps: ReleaseDeps, findIndex: FindIndex): Step {
  const { repository } = job;
  const holder = async (version: string, signal: AbortSignal) =>
    (await deps.registry.head(atTag(repository, version), { signal }))?.digest;
  return {
    name: 'tag',
    external: false,
    async isDone(signal) {
      const { digest, version } = await findIndex(signal);
      return (await holder(version, signal)) === digest;
    },
    async run(signal) {
      const { digest, version, mediaType, bytes } = await findIndex(signal);
      const refused = await refuseQuarantined(job, { digest }, deps, signal);
      if (refused !== undefined) return refused;
      await inTurn(repository, deps, signal, async (lock) => {
        const found = await holder(version, signal);
        if (found === digest) return;
        if (found !== undefined) throw taken(version, found);
        requireTurn(lock, repository);
        await deps.registry.putManifest(atTag(repository, version), { mediaType, bytes }, { signal });
      });
    },
  };
}

/** The next attempt assembles anew, under the next version. */
function taken(version: string, holder: string): RegistryError {
  const message = `the tag ${version} came to be ${holder} meanwhile and is not overwritten; run again`;
  return new RegistryError(message, { code: 'missing-content', retryable: true });
}

/** The moving tags that follow each release; that of the line is the last. */
export function channelsStep(job: ReleaseJob, deps: ReleaseDeps, findIndex: FindIndex): Step {
  const { image, repository } = job;
  const channels = (version: string) => {
    const now = deps.now().toISOString();
    return channelsOf(
      image.line,
      version,
      channelsAtRelease(deps.settings, { critical: isCritical(job.reasons), now }),
    );
  };
  return {
    name: 'channels',
    external: false,
    async isDone(signal) {
      const { digest, version } = await findIndex(signal);
      const heads = channels(version).map((tag) => deps.registry.head(atTag(repository, tag), { signal }));
      return (await Promise.all(heads)).every((head) => head?.digest === digest);
    },
    async run(signal) {
      const { digest, version } = await findIndex(signal);
      const moves = channels(version).map((channel) => ({ channel, version, digest }));
      const decisions = await moveChannels(repository, { moves, by: 'ingot' }, deps, signal);
      return endOf(decisions, version, image.line);
    },
  };
}

/** A channel that is ahead stays there. When it is that of the line, somebody else released meanwhile. */
function endOf(decisions: readonly MoveDecision[], version: string, line: string): Ending | undefined {
  const refused = decisions.flatMap((decision) => (decision.kind === 'refused' ? [decision] : []));
  const quarantined = refused.find(({ because }) => because === 'quarantined');
  if (quarantined !== undefined) return { outcome: 'blocked', summary: quarantined.why };
  const passed = refused.find(({ move }) => move.channel === line);
  if (passed !== undefined) throw new FactoryError(`${passed.why}; nothing was moved back`, { code: 'superseded' });
  if (refused.length === 0) return undefined;
  const why = refused.map((each) => each.why).join('; ');
  return { outcome: 'released', summary: `released as ${version}; not everywhere: ${why}` };
}
