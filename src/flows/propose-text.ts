import { quarantineOfPin } from '../domain/bump/decide-pin.ts';
import type { PinVersion } from '../domain/bump/format.ts';
import { renderCommitMessage } from '../domain/commit-message.ts';
import { type LeftRelease, type PullRequestFacts, renderPullRequest } from '../domain/pull-request.ts';
import { digestOfFiles } from '../domain/pull-request-marker.ts';
import type { PinChanges } from './pin-changes.ts';
import type { ProposeRequest } from './propose.ts';

/** Quarantined releases that the pins to be moved are on. */
export async function quarantinedPins({ pins }: PinChanges, { release, lookup }: ProposeRequest) {
  const found = new Set<LeftRelease>();
  if (!release.quarantined?.length) return [];
  for (const { from } of pins) {
    const known = from.digest && (await lookup.identify(from.digest));
    const facts = { quarantined: release.quarantined, known: new Map(known && [[from.digest!, known]]) };
    const quarantine = quarantineOfPin(from, facts);
    if (quarantine !== undefined) found.add(quarantine);
  }
  return [...found];
}

interface Described extends Pick<ProposeRequest, 'release' | 'lookup'> {
  readonly changes: PinChanges;
  readonly leaves: readonly LeftRelease[];
  readonly since?: string | undefined;
}

/** Title and body of a pull request, and the message of its commit. */
export async function describe({
  release,
  lookup,
  changes,
  leaves,
  since,
}: Described): Promise<{ title: string; body: string; message: string }> {
  const { image, repository, version, digest, reasons } = release;
  const from = mostCommon(changes.pins.map((pin) => pin.from));
  const [before, after] = [await lookup.content(from), await lookup.content({ tag: version, digest })];
  const known = from.digest === undefined ? undefined : await lookup.identify(from.digest);
  const oldVersion = known?.version ?? from.tag;
  const [oldOrigin, origin] = [await lookup.origin?.(from), await lookup.origin?.({ tag: version, digest })];
  const facts: PullRequestFacts = {
    image,
    repository,
    before: {
      ...(oldVersion === undefined ? {} : { version: oldVersion }),
      ...(from.digest === undefined ? {} : { digest: from.digest }),
      ...(before === undefined ? {} : { content: before }),
      origin: oldOrigin,
    },
    after: { version, digest, origin, ...(after === undefined ? {} : { content: after }) },
    reasons,
    leaves,
    pins: changes.pins,
    left: changes.left,
    ...(release.deprecated && { deprecated: release.deprecated }),
    files: digestOfFiles(changes.files),
    since,
  };
  const text = renderPullRequest(facts);
  return { ...text, message: renderCommitMessage(text.title, facts) };
}

/** A repository may pin several releases; the comparison is with the one that most pins name. */
function mostCommon(pins: readonly PinVersion[]): PinVersion {
  const groups = Map.groupBy(pins, ({ tag, digest }) => `${tag}@${digest}`);
  return [...groups.values()].reduce((a, b) => (b.length > a.length ? b : a))[0]!;
}
