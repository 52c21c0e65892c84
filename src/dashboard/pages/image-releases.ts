import { html } from 'hono/html';
import type { Html } from '../../api/pages/page.ts';
import type { Severity } from '../../domain/fleet/model.ts';
import type { HistoryView, PlatformFigures, ReleaseFigures } from '../../domain/service/history.ts';
import type { ImageView } from '../../domain/service/views.ts';
import { formatBytes } from '../../domain/size.ts';
import type { PageContext } from '../context.ts';
import { empty } from '../layout.ts';
import { barChart, chart, lineChart } from '../parts/charts.ts';
import { ago, badge, digestText, imagePath, plural, shortPlatform } from '../parts/format.ts';
import { may, select } from '../parts/forms.ts';

/** Of one platform: sums over platforms would jump when one is added. */
function first({ platforms }: ReleaseFigures): (PlatformFigures & { readonly platform: string }) | undefined {
  const found = Object.entries(platforms).sort(([a], [b]) => a.localeCompare(b))[0];
  return found && { platform: found[0], ...found[1]! };
}

/** Size, packages and vulnerabilities over the releases, oldest on the left. */
export function figureCharts({ releases, reading }: HistoryView): Html {
  const read = releases.toReversed().flatMap((release) => {
    const figures = first(release);
    return figures === undefined ? [] : [{ label: release.version, ...figures }];
  });
  const newest = read.at(-1);
  if (newest === undefined) {
    return reading
      ? html`<section class="card">${empty('Reading the releases', 'Their figures appear here in a moment.')}</section>`
      : html``;
  }
  const packages = read.flatMap(({ label, packages: value }) => (value === undefined ? [] : [{ label, value }]));
  const found = read.flatMap(({ label, findings }) =>
    findings === undefined ? [] : [{ label, parts: partsOf(findings) }],
  );
  const title = (what: string) => `${what} (${shortPlatform(newest.platform)})`;
  return html`<div class="grid-3">${chart(
    title('Size'),
    formatBytes(newest.size),
    lineChart(
      read.map(({ label, size: value }) => ({ label, value })),
      formatBytes,
      'Compressed size by release',
    ),
  )}${
    packages.length > 0 &&
    chart(title('Packages'), String(packages.at(-1)!.value), lineChart(packages, String, 'Packages by release'))
  }${found.length > 0 && chart(title('Vulnerabilities'), countOf(newest.findings), barChart(found, 'Vulnerabilities by release'), KEY)}</div>`;
}

const BARS = ['critical', 'high', 'medium', 'rest'] as const;
const KEY = html`<div>${BARS.map(
  (kind) =>
    html`<span class="key"><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="bar-${kind}" width="10" height="10"/></svg>${kind}</span>`,
)}</div>`;

type Findings = Readonly<Partial<Record<Severity, number>>>;

function partsOf(findings: Findings) {
  const { critical = 0, high = 0, medium = 0, low = 0, negligible = 0, unknown = 0 } = findings;
  const values = { critical, high, medium, rest: low + negligible + unknown };
  return BARS.map((kind) => ({ kind, value: values[kind] }));
}

function countOf(findings: Findings = {}): string {
  return String(Object.values(findings).reduce((sum, count) => sum + count, 0));
}

/** The timeline, with what may be done to each release. */
export function releasesCard(c: PageContext, image: ImageView, history: HistoryView, now: Date): Html {
  const { releases, reading, unknown } = history;
  const body =
    releases.length === 0
      ? empty(reading ? 'Reading the registry' : 'No releases yet', unknown ?? '')
      : html`<ol class="timeline">${releases.map((release, index) => entry(c, image, release, releases[index + 1], now))}</ol>`;
  return html`<section class="card"><div class="card-head"><h2>Releases</h2>${releases.length > 1 && compareForm(image.name, releases)}</div>${body}${
    releases.length > 0 &&
    (reading || unknown) &&
    html`<div class="card-foot">${unknown ?? 'Older ones are being read.'}</div>`
  }</section>`;
}

function compareForm(name: string, releases: readonly ReleaseFigures[]): Html {
  const choices = releases.map(({ version }) => ({ value: version, text: version }));
  return html`<form class="filter" method="get" action="${imagePath(name)}/diff">${select('before', 'From', choices, releases[1]!.version)}${select('after', 'to', choices, releases[0]!.version)}<button>Compare</button></form>`;
}

function entry(
  c: PageContext,
  image: ImageView,
  release: ReleaseFigures,
  before: ReleaseFigures | undefined,
  now: Date,
): Html {
  const { version, digest, created } = release;
  const quarantine = image.quarantined.find((each) => each.digest === digest);
  const inUse = image.release?.digest === digest;
  const path = imagePath(image.name);
  const query = (what: string) => `?what=${encodeURIComponent(what)}`;
  const state = quarantine ? 's-quarantined' : inUse ? 's-fresh' : '';
  return html`<li class="${state}"><div class="row"><strong class="mono">${version}</strong>${inUse && badge('fresh', 'in use')}${quarantine && badge('quarantined')}<span class="small soft">${ago(created, now)} · ${digestText(digest)}</span><span class="actions small">${
    before && html`<a href="${path}/diff?before=${before.version}&amp;after=${version}">what changed</a>`
  }${may(c, 'admin', image.name) && (quarantine ? html`<a href="${path}/unquarantine${query(version)}">lift quarantine…</a>` : html`<a href="${path}/quarantine${query(version)}">quarantine…</a>`)}</span></div>
<div class="small soft">${figures(release)}${quarantine && html` · ${quarantine.why} (${quarantine.by})`}</div></li>`;
}

function figures(release: ReleaseFigures): Html {
  const figure = first(release);
  if (figure === undefined) return html``;
  const { size, packages, findings, platform } = figure;
  const parts = findings && partsOf(findings).filter(({ value }) => value > 0);
  return html`${shortPlatform(platform)}: ${formatBytes(size)}${packages !== undefined && ` · ${plural(packages, 'package')}`}${
    parts &&
    ` · ${parts.length === 0 ? 'no known vulnerabilities' : parts.map(({ kind, value }) => `${value} ${kind === 'rest' ? 'lesser' : kind}`).join(', ')}`
  }`;
}
