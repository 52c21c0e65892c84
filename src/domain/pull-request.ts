import type { LeftPin, PinVersion } from './bump/format.ts';
import { isOlder } from './channel-journal.ts';
import { compareLink } from './compare-link.ts';
import { diffFindings, type FindingsChange } from './diff.ts';
import { type Digest, shortDigest } from './digest.ts';
import type { Deprecation } from './fleet/deprecated.ts';
import type { ImageContent, PinnedRelease } from './image-content.ts';
import { code, fitSections, inline, link, table } from './markdown.ts';
import { renderMarker } from './pull-request-marker.ts';
import { deprecationSection, packagesSection, sizeSection, vulnerabilitiesSection } from './pull-request-sections.ts';

/** Everything that a pull request says. */
export interface PullRequestFacts {
  readonly image: string;
  /** Full name: `ghcr.io/acme/golden/debian`. */
  readonly repository: string;
  /** What most pins name now. */
  readonly before: PinnedRelease;
  readonly after: PinnedRelease & { readonly version: string; readonly digest: Digest };
  /** Why the release was made, in words. */
  readonly reasons: readonly string[];
  /** The announced end of the image's life. */
  readonly deprecated?: Deprecation;
  /** Quarantined releases that pins leave. */
  readonly leaves?: readonly LeftRelease[];
  readonly pins: readonly MovedPin[];
  readonly left: readonly (LeftPin & { readonly path: string })[];
  /** Of the files that the branch changes, see `digestOfFiles`. */
  readonly files: Digest;
  /** When it came to propose this release; RFC 3339. */
  readonly since?: string | undefined;
}

export interface MovedPin {
  readonly path: string;
  readonly line: number;
  readonly from: PinVersion;
  readonly to: PinVersion;
}

/** A release that no pin may stay on. */
export interface LeftRelease {
  readonly digest: Digest;
  readonly version?: string;
  readonly by: string;
  readonly why: string;
}

/** Whether pins move to an older version than a quarantined one that they leave. */
export function goesBack({ leaves = [], after }: Pick<PullRequestFacts, 'leaves'> & { after: { version: string } }) {
  return leaves.some(({ version }) => version !== undefined && isOlder(after.version, version));
}

/** Names a way back: a person may decline this one, and want another. Absent for a way forward. */
export function leavesKey(facts: Parameters<typeof goesBack>[0]): string | undefined {
  if (!goesBack(facts)) return undefined;
  return facts
    .leaves!.map(({ digest }) => shortDigest(digest))
    .sort()
    .join(' ');
}

const MAX_BODY = 55_000;

/** Title and body, Markdown, for every forge. Stays far below the 65,536 characters that GitHub takes. */
export function renderPullRequest(facts: PullRequestFacts): { title: string; body: string } {
  const { image, after, before } = facts;
  const changes = before.content && after.content ? findingsOf(before.content, after.content) : undefined;
  const sections = [
    renderMarker({
      image,
      version: after.version,
      digest: after.digest,
      files: facts.files,
      leaves: leavesKey(facts),
      since: facts.since,
    }),
    summaryTable(facts),
    whySection(facts),
    deprecationSection(facts.image, facts.deprecated),
    vulnerabilitiesSection(changes),
    packagesSection(before.content, after.content),
    sizeSection(before.content, after.content),
    filesSection(facts),
    verifySection(facts),
    holdSection(facts),
  ];
  return {
    title: goesBack(facts)
      ? `Move golden ${image} back to ${after.version}`
      : `Bump golden ${image} to ${after.version}${countFixed(changes)}`,
    body: fitSections(sections, MAX_BODY),
  };
}

/** Over all platforms, each vulnerability once. Fixed means that it is gone everywhere. */
function findingsOf(before: ImageContent, after: ImageContent): FindingsChange {
  const all = (content: ImageContent) => Object.values(content).flatMap((platform) => platform?.findings ?? []);
  return diffFindings(all(before), all(after));
}

function countFixed(changes: FindingsChange | undefined): string {
  const ids = new Set(changes?.fixed.map(({ id }) => id));
  if (ids.size === 0) return '';
  const isCve = [...ids].every((id) => id.startsWith('CVE-'));
  const word = isCve ? (ids.size === 1 ? 'CVE' : 'CVEs') : ids.size === 1 ? 'vulnerability' : 'vulnerabilities';
  return ` (${ids.size} ${word} fixed)`;
}

function summaryTable(facts: PullRequestFacts): string {
  const { image, repository, before, after } = facts;
  const news = goesBack(facts) ? 'was rolled back' : 'has a new release';
  const rows = [
    ['version', before.version === undefined ? 'not known' : code(before.version), code(after.version)],
    ['digest', before.digest === undefined ? 'not pinned' : code(before.digest), code(after.digest)],
  ];
  return `The golden image **${inline(image)}** (${code(repository)}) ${news}.\n\n${table(['', 'old', 'new'], rows)}`;
}

function whySection(facts: PullRequestFacts): string {
  const { reasons, leaves = [], after } = facts;
  const bad = leaves.map(
    ({ version, digest, by, why }) => `${version ?? shortDigest(digest)} is quarantined by ${by}: ${why}`,
  );
  const made = goesBack(facts) ? [`${after.version} is in use again`] : reasons;
  const all = [...bad, ...made];
  const lines = all.length === 0 ? ['the reason was not recorded'] : all;
  const page = compareLink(facts.before.origin, after.origin);
  const compared = page === undefined ? '' : `\n\n${link('What changed in the definitions', page)}`;
  return `### Why now\n\n${lines.map((reason) => `- ${inline(capitalise(reason))}`).join('\n')}${compared}`;
}

function capitalise(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function filesSection({ pins, left }: PullRequestFacts): string {
  const rows = pins.map(({ path, line, from, to }) => [code(`${path}:${line}`), pinText(from), pinText(to)]);
  const moved = `### Files\n\n${table(['place', 'old', 'new'], rows)}`;
  if (left.length === 0) return moved;
  const others = left.map(({ path, line, message }) => [code(`${path}:${line}`), inline(message)]);
  return `${moved}\n\nLeft alone:\n\n${table(['place', 'why'], others, 20)}`;
}

function pinText({ tag, digest }: PinVersion): string {
  return code([tag ?? '', digest === undefined ? '' : `@${shortDigest(digest)}`].join(''));
}

function verifySection({ repository, after }: PullRequestFacts): string {
  const reference = `${repository}@${after.digest}`;
  return `### How to verify

With the public key of the fleet in \`cosign.pub\`:

\`\`\`sh
npx --no ingot verify ${reference}
cosign verify --key cosign.pub --insecure-ignore-tlog ${reference}
\`\`\``;
}

function holdSection({ after, image }: PullRequestFacts): string {
  return `### How to hold or decline

Close this pull request to decline ${inline(after.version)}: it is not proposed again, the next release is. To keep a pin where it is, write ${code('# ingot: hold')} beside it; ${code('.ingot.yaml')} in this repository says how far pins go, and which files are left alone. Push a commit to its branch to take it over: ingot leaves the branch alone from then on. While it is open, newer releases of ${inline(image)} replace it in place.`;
}
