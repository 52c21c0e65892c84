import { ulid } from 'ulid';
import { type Digest, digestOf } from '../../src/domain/digest.ts';
import type { Fleet, Image } from '../../src/domain/fleet/model.ts';
import { parseFleet } from '../../src/domain/fleet/parse-fleet.ts';
import type { FreshnessSample } from '../../src/domain/freshness.ts';
import type { PlanEntry } from '../../src/domain/plan.ts';
import { renderMarker } from '../../src/domain/pull-request-marker.ts';
import type { Outcome, Run, StepRecord } from '../../src/domain/run.ts';
import type { ReleaseFigures } from '../../src/domain/service/history.ts';
import type { BudgetView } from '../../src/domain/service/workers.ts';
import type { Reason } from '../../src/domain/staleness.ts';
import type { ForgeRepository, PullRequest } from '../../src/forge/forge.ts';
import type { FreshnessStore } from '../../src/ledger/freshness.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { ServiceStore, StoredPlan } from '../../src/ledger/store.ts';
import { fleetFiles } from './fleet-files.ts';
import { generatedImages } from './generated-images.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'] as const;
const [SECOND, HOUR, DAY] = [1000, 3_600_000, 86_400_000];

/** What a fleet that has run for months looks like; the same for the same sizes, but for the time. */
export interface SceneData {
  readonly fleet: Fleet;
  readonly plan: StoredPlan;
  /** Oldest first. */
  readonly runs: readonly Run[];
  readonly histories: ReadonlyMap<string, readonly ReleaseFigures[]>;
  readonly samples: readonly FreshnessSample[];
  readonly downstreams: readonly ForgeRepository[];
  readonly budgets: readonly BudgetView[];
  readonly now: Date;
}

const NAMES = [
  ...['debian', 'alpine', 'ubi', 'python', 'node', 'java', 'dotnet', 'go', 'ruby', 'php', 'nginx', 'postgres'],
  ...['redis', 'python-build', 'node-build', 'java-build', 'java-jre', 'go-build', 'static', 'curl', 'jobs', 'gateway'],
  ...['airflow', 'spark', 'jupyter', 'tomcat', 'rails', 'laravel', 'express', 'fastapi'],
];
const UPSTREAMS = ['debian:12-slim', 'alpine:3.20', 'registry.access.redhat.com/ubi9-minimal:9.4'];
const TEAMS = ['team-runtime', 'team-data', 'team-web'];

export function sceneData({ images: count, runs: runCount }: { images: number; runs: number }, now: Date): SceneData {
  const random = createRandom(7);
  const images =
    count <= NAMES.length
      ? namedImages(count)
      : generatedImages(count).map((image, index) => ({ ...image, owners: [{ team: TEAMS[index % 3]! }] }));
  const { settings } = parseFleet(
    fleetFiles({
      'ingot.yaml':
        'fleet: acme\nrebuild: { nightly: "0 2 * * *" }\nfreshness: { detect: 30m, release: 6h, critical: 4h }\n',
      'images/x/image.yaml': 'line: "1"\n',
      'images/x/Dockerfile': 'FROM debian:12\n',
    }),
  );
  const fleet = { settings, images };
  const histories = new Map(images.map((image) => [image.name, historyOf(image, now, random)]));
  const runs = runsOf(images, runCount, now, random);
  const entries = images.map((image, index) => entryOf(image, index, histories.get(image.name)!, now));
  const quarantined = histories.get(images[0]!.name)![2]!;
  const standing = {
    [images[0]!.name]: {
      quarantined: [
        {
          digest: quarantined.digest,
          version: quarantined.version,
          why: 'broke TLS to old servers',
          by: 'token ada',
          at: ago(now, 9 * DAY),
        },
      ],
    },
  };
  const plan = { at: ago(now, 40 * SECOND), definitions: digestOf('fleet'), entries, standing, unasked: {} };
  return {
    ...{ fleet, plan, runs, histories, now },
    samples: [...runs.flatMap(sampleOf), ...openSamples(entries, now)],
    downstreams: downstreamsOf(images, histories, now, random),
    budgets: budgetsOf(now),
  };
}

export async function writeScene(
  { fleet, plan, runs, histories, samples, now }: SceneData,
  { store, ledger, freshness }: { store: ServiceStore; ledger: Ledger; freshness: FreshnessStore },
) {
  await store.putDefinitions({
    ...{
      fleet: 'acme',
      source: 'git+https://git.acme.example/golden#main',
      commit: '4f2a9c1',
      digest: plan.definitions,
    },
    ...{ base: 'registry.acme.example/golden', images: fleet.images.length, platforms: PLATFORMS },
    ...{ loadedAt: ago(now, 3 * HOUR), checkedAt: ago(now, 20 * SECOND) },
  });
  await store.putPlan(plan);
  for (let from = 0; from < runs.length; from += 500) {
    await Promise.all(runs.slice(from, from + 500).map((run) => writeRun(run, ledger)));
  }
  await Promise.all(
    [...histories].map(([image, releases]) => store.putHistory(image, { releases, readAt: ago(now, 0) })),
  );
  for (let from = 0; from < samples.length; from += 500) {
    await Promise.all(samples.slice(from, from + 500).map((sample) => freshness.note(sample)));
  }
  const upstreams = new Set(
    fleet.images.flatMap(({ inputs }) =>
      inputs.flatMap(({ source }) => ('upstream' in source ? [nameOf(source.upstream)] : [])),
    ),
  );
  for (const [index, name] of [...upstreams].entries()) {
    const digest = digestOf(name);
    const platforms = { 'linux/amd64': digest, 'linux/arm64': digest };
    await ledger.observe(name, {
      digest,
      platforms,
      created: ago(now, (index + 1) * 1.7 * DAY),
      firstSeenAt: ago(now, (index + 1) * 1.69 * DAY),
      checkedAt: ago(now, 45 * SECOND),
    });
  }
}

async function writeRun({ outcome, endedAt, summary, version, digest, ...run }: Run, ledger: Ledger): Promise<void> {
  await ledger.startRun(run as Run);
  if (endedAt !== undefined) {
    const found = { ...(version && { version }), ...(digest && { digest }), ...(summary && { summary }) };
    await ledger.finishRun(run.id, { outcome, endedAt, ...found });
  }
  if (endedAt === undefined || run.id.endsWith('0')) {
    const lines = LOG.flatMap((line, index) =>
      Array.from({ length: 4 }, (_, turn) => `#${index + 5} ${(turn * 0.4).toFixed(3)} ${line}`),
    );
    await Promise.all(run.platforms.map((platform) => ledger.appendLog(run.id, platform, lines)));
  }
}

const LOG = [
  '[internal] load build definition from Dockerfile',
  '[golden/debian] resolve sha256:4d2c0e8b',
  'RUN apt-get install -y --no-install-recommends ca-certificates tzdata',
  'Setting up libssl3:amd64 (3.0.15-1~deb12u1) ...',
  'Setting up ca-certificates (20230311) ...',
  'Updating certificates in /etc/ssl/certs...',
  '140 added, 0 removed; done.',
  'exporting to image',
];

/** They are forgotten after a while of silence. */
export async function writeWorkers(runs: readonly Run[], now: Date, store: ServiceStore): Promise<void> {
  const running = runs.filter(({ outcome }) => outcome === undefined);
  const [first] = running;
  const about = {
    version: '0.1.0',
    concurrency: 4,
    startedAt: ago(now, 26 * HOUR),
    seenAt: ago(now, 2 * SECOND),
    stopping: false,
  };
  const job = first && {
    run: first.id,
    image: first.image,
    role: 'build' as const,
    platform: 'linux/amd64' as const,
    startedAt: first.startedAt,
  };
  await store.beat({
    ...about,
    id: 'w1',
    host: 'builder-amd64',
    pid: 812,
    roles: ['build', 'release', 'propose'],
    platforms: [{ platform: 'linux/amd64', how: 'native' }],
    jobs: job ? [job] : [],
  });
  await store.beat({
    ...about,
    id: 'w2',
    host: 'builder-arm64',
    pid: 77,
    roles: ['build'],
    platforms: [{ platform: 'linux/arm64', how: 'native' }],
    jobs: [],
  });
  await store.beat({ ...about, id: 'w3', host: 'ingot-0', pid: 1, roles: ['scheduler'], platforms: [], jobs: [] });
}

function namedImages(count: number): readonly Image[] {
  const drafts = generatedImages(count);
  const upstream = (index: number) => UPSTREAMS[index]!;
  const parents: Record<string, string> = {
    'python-build': 'python',
    jobs: 'python',
    airflow: 'python',
    jupyter: 'python',
    fastapi: 'python',
    'node-build': 'node',
    express: 'node',
    'java-jre': 'ubi',
    java: 'java-jre',
    'java-build': 'java',
    tomcat: 'java',
    spark: 'java',
    'go-build': 'go',
    rails: 'ruby',
    laravel: 'php',
    static: 'alpine',
    curl: 'alpine',
    nginx: 'alpine',
    gateway: 'nginx',
    redis: 'alpine',
  };
  const made = drafts.map((draft, index): Image => {
    const name = NAMES[index]!;
    const from = index < 3 ? { upstream: referenceOf(upstream(index)) } : { golden: parents[name] ?? 'debian' };
    return {
      ...{
        ...draft,
        name,
        line: index < 3 ? '12' : '3.11',
        description: `${name[0]!.toUpperCase()}${name.slice(1)} for every team`,
        owners: [{ team: TEAMS[index % 3]! }],
      },
      inputs: [{ role: 'base', written: 'golden' in from ? `golden/${from.golden}` : upstream(index), source: from }],
    };
  });
  const done = new Set<string>();
  const ordered: Image[] = [];
  while (ordered.length < made.length) {
    const next = made.find(
      ({ name, inputs }) =>
        !done.has(name) && inputs.every(({ source }) => !('golden' in source) || done.has(source.golden)),
    )!;
    done.add(next.name);
    ordered.push(next);
  }
  return ordered;
}

function referenceOf(name: string) {
  const parts = name.split(':');
  const isWhole = parts[0]!.includes('.');
  const repository = isWhole ? parts[0]!.split('/').slice(1).join('/') : `library/${parts[0]}`;
  return { registry: isWhole ? parts[0]!.split('/')[0]! : 'docker.io', repository, tag: parts[1]! };
}

function nameOf({ registry, repository, tag }: { registry: string; repository: string; tag?: string }): string {
  return `${registry}/${repository}:${tag}`;
}

function historyOf({ name, line }: Image, now: Date, random: () => number): readonly ReleaseFigures[] {
  const count = 8 + Math.floor(random() * 6);
  let size = 28e6 + random() * 90e6;
  let packages = 60 + Math.floor(random() * 200);
  const oldestFirst = Array.from({ length: count }, (_, index): ReleaseFigures => {
    size *= 0.985 + random() * 0.035;
    packages += Math.floor(random() * 5) - 2;
    const digest = digestOf(`${name} ${index}`);
    const findings = {
      critical: random() < 0.15 ? 1 : 0,
      high: Math.floor(random() * 4),
      medium: Math.floor(random() * 9),
      low: 4 + Math.floor(random() * 14),
    };
    const figures = { digest, size: Math.round(size), packages, findings };
    const version = versionOf({ line }, index);
    return {
      version,
      digest,
      created: ago(now, (count - index) * 4.3 * DAY - 2 * DAY),
      platforms: { 'linux/amd64': figures, 'linux/arm64': { ...figures, size: Math.round(size * 0.96) } },
    };
  });
  return oldestFirst.toReversed();
}

function versionOf({ line }: Pick<Image, 'line'>, index: number): string {
  return line.includes('.') ? `${line}.${index + 1}` : `${line}.4.${index + 1}`;
}

function entryOf({ name: image }: Image, index: number, [newest]: readonly ReleaseFigures[], now: Date): PlanEntry {
  const { version, digest, created } = newest!;
  const release = {
    version,
    digest,
    ...(created && { created }),
    platforms: { 'linux/amd64': digest, 'linux/arm64': digest },
  };
  const base = { image, reasons: [], holds: [], release };
  const openssl = {
    name: 'libssl3',
    from: '3.0.14-1',
    to: '3.0.15-1~deb12u1',
    security: true,
    platforms: PLATFORMS,
  } as never;
  if (index === 1) return { ...base, state: 'running', reasons: [moved(image, now)] };
  if (index % 17 === 4)
    return { ...base, state: 'rebuild', reasons: [{ kind: 'package-updates', updates: [openssl] }] };
  if (index % 11 === 5)
    return {
      ...base,
      state: 'held',
      reasons: [moved(image, now)],
      holds: [{ kind: 'settling', until: ago(now, -9 * 60 * SECOND) }],
    };
  if (index % 19 === 8)
    return {
      ...base,
      state: 'held',
      reasons: [{ kind: 'package-updates', updates: [openssl] }],
      holds: [
        { kind: 'blocked', at: ago(now, DAY), why: 'a critical vulnerability with a fix: CVE-2026-1234 in openssl' },
      ],
    };
  if (index % 37 === 12)
    return {
      ...base,
      state: 'unknown',
      unknown: 'registry.access.redhat.com could not be asked: timed out after 30 s',
    };
  return { ...base, state: 'fresh' };
}

function moved(seed: string, now: Date): Reason {
  return {
    kind: 'base-changed',
    name: 'docker.io/library/debian:12-slim',
    from: digestOf(`${seed} a`),
    to: digestOf(`${seed} b`),
    created: ago(now, 8 * HOUR),
  };
}

const OUTCOMES: readonly Outcome[] = [
  'released',
  'released',
  'released',
  'released',
  'unchanged',
  'unchanged',
  'blocked',
  'failed',
  'cancelled',
  'superseded',
];
const SUMMARIES: Readonly<Record<Outcome, string>> = {
  released: 'released',
  unchanged: 'the content is the same as that of the release in use: nothing is published',
  blocked: 'blocked: CVE-2026-1234 (critical, openssl 3.0.14) has had a fix for 3 days',
  failed: 'linux/arm64: apt-get install ended with 100: Unable to locate package python3-minimal',
  cancelled: 'cancelled by token ada',
  superseded: 'newer inputs came while it ran',
};

function runsOf(images: readonly Image[], count: number, now: Date, random: () => number): readonly Run[] {
  const span = Math.min(count * 25 * 60 * SECOND, 85 * DAY);
  return Array.from({ length: count }, (_, index): Run => {
    const startedAt = now.getTime() - 3 * 60 * SECOND - Math.round(((count - 1 - index) / count) * span);
    const image =
      index === count - 1 ? images[Math.min(1, images.length - 1)]! : images[Math.floor(random() * images.length)]!;
    const isOpen = index === count - 1;
    const outcome = isOpen ? undefined : OUTCOMES[Math.floor(random() * OUTCOMES.length)]!;
    const steps = stepsOf(startedAt, random, isOpen, outcome);
    const reasons: Reason[] =
      random() < 0.6
        ? [{ ...moved(String(index), now), created: new Date(startedAt - random() * 5 * HOUR).toISOString() } as Reason]
        : [{ kind: 'requested', by: 'token ci' }];
    const ended = steps.at(-1)!.endedAt;
    return {
      ...{
        id: ulid(startedAt),
        image: image.name,
        inputs: digestOf(`inputs ${index}`),
        reasons,
        holds: [],
        platforms: [...PLATFORMS],
      },
      ...{ startedAt: new Date(startedAt).toISOString(), steps },
      ...(outcome && {
        outcome,
        endedAt: new Date(ended ?? startedAt).toISOString(),
        summary: outcome === 'released' ? `released as ${versionOf(image, index % 9)}` : SUMMARIES[outcome],
      }),
      ...(outcome === 'released' && {
        version: versionOf(image, index % 9),
        digest: digestOf(`release ${index}`) as Digest,
      }),
    };
  });
}

/** What a run that an upstream set off left behind. */
function sampleOf({ id, image, reasons, outcome, startedAt, endedAt, version, digest, steps }: Run): FreshnessSample[] {
  const [reason] = reasons;
  if (reason?.kind !== 'base-changed' || (outcome !== 'released' && outcome !== 'unchanged')) return [];
  const changedAt = reason.created!;
  const detectedAt = new Date(Math.min(Date.parse(startedAt), Date.parse(changedAt) + 11 * 60 * SECOND)).toISOString();
  const built = (platform: string) => {
    const end = steps.find((step) => step.name === 'build' && step.platform === platform)?.endedAt;
    return end === undefined ? {} : { builtAt: new Date(end).toISOString() };
  };
  const opened = new Date(Date.parse(endedAt!) + 20 * SECOND).toISOString();
  const merged = new Date(Date.parse(endedAt!) + 7 * HOUR).toISOString();
  const pull = { number: 7, branch: `ingot/image/${image}`, openedAt: opened };
  return [
    {
      ...{ id: `${image}|${id}`, image, kind: 'upstream', upstream: reason.name, digest: reason.to },
      ...{ changedAt, detectedAt, detectedBy: 'watch', run: id, outcome, releasedAt: endedAt! },
      platforms: Object.fromEntries(PLATFORMS.map((platform) => [platform, built(platform)])),
      ...(version && { version }),
      ...(digest && { release: digest }),
      ...(outcome === 'released' && {
        pulls: {
          'acme/shop#7': { repository: 'acme/shop', ...pull, ...(id.endsWith('3') ? {} : { mergedAt: merged }) },
        },
      }),
    },
  ];
}

function openSamples(entries: readonly PlanEntry[], now: Date): FreshnessSample[] {
  return entries.flatMap(({ image, state, holds, reasons: [reason] }, index): FreshnessSample[] => {
    if (state !== 'held' && state !== 'running') return [];
    const held = holds.map(({ kind }) => [kind, { at: ago(now, 7 * HOUR), why: 'blocked for a while' }] as const);
    const about = { image, changedAt: ago(now, (3 + index) * HOUR), detectedAt: ago(now, (2.9 + index) * HOUR) };
    if (reason?.kind !== 'base-changed') {
      const fix = { kind: 'fix', upstream: 'openssl', findings: ['CVE-2026-1234'], fixed: '3.0.15-1' } as const;
      return [{ id: `${image}|fix`, ...about, ...fix, holds: Object.fromEntries(held) }];
    }
    const platforms = { 'linux/amd64': {}, 'linux/arm64': {} };
    return [{ id: `${image}|open`, kind: 'upstream', upstream: reason.name, digest: reason.to, platforms, ...about }];
  });
}

const STEPS: readonly (readonly [name: string, seconds: number, external: boolean, perPlatform: boolean])[] = [
  ['build', 48, true, true],
  ['smoke', 6, true, true],
  ['compare', 0.7, false, false],
  ['sbom', 11, true, true],
  ['scan', 5, true, true],
  ['verdict', 0.2, false, false],
  ['assemble', 0.3, false, false],
  ['promote', 3, true, false],
  ['sign', 0.4, false, false],
  ['attest', 0.6, false, false],
  ['verify', 0.3, false, false],
  ['tag', 0.1, false, false],
];

function stepsOf(
  startedAt: number,
  random: () => number,
  isOpen: boolean,
  outcome: Outcome | undefined,
): readonly StepRecord[] {
  let at = startedAt;
  const steps = STEPS.slice(
    0,
    isOpen ? 2 : outcome === 'failed' ? 1 : outcome === 'blocked' ? 6 : STEPS.length,
  ).flatMap(([name, seconds, external, perPlatform]) => {
    const from = at + 40;
    const made = (perPlatform ? PLATFORMS : [undefined]).map((platform, index): StepRecord => {
      const endedAt = Math.round(from + seconds * (0.7 + random() * 0.6) * SECOND * (index === 1 ? 1.3 : 1));
      at = Math.max(at, endedAt);
      return { name, state: 'done', startedAt: from, endedAt, external, ...(platform && { platform }) };
    });
    return made;
  });
  const last = steps.at(-1)!;
  if (isOpen) {
    const { endedAt: _, ...open } = last;
    return [...steps.slice(0, -1), { ...open, state: 'running' }];
  }
  return outcome === 'failed'
    ? [...steps.slice(0, -1), { ...last, state: 'failed', error: 'apt-get install ended with 100' }]
    : steps;
}

function downstreamsOf(
  images: readonly Image[],
  histories: SceneData['histories'],
  now: Date,
  random: () => number,
): readonly ForgeRepository[] {
  const names = [
    'acme/shop',
    'acme/checkout',
    'acme/search',
    'acme/billing',
    'data/pipeline',
    'data/notebooks',
    'web/portal',
    'web/mobile-api',
  ];
  return names.map((name, number) => {
    const pulls = images.slice(0, 12).flatMap((image, index): PullRequest[] => {
      if (random() < 0.6) return [];
      const releases = histories.get(image.name)!;
      return [2, 1, 0].slice(random() < 0.5 ? 0 : 1).flatMap((place) => {
        const { version, digest } = releases[place]!;
        const state = place === 0 ? (random() < 0.4 ? 'open' : 'merged') : 'merged';
        const createdAt = ago(now, (place * 4.3 + 1 + (number === 3 ? 9 : 0)) * DAY);
        return [
          {
            ...{
              number: index * 10 + 10 - place,
              repository: name,
              branch: `ingot/image/${image.name}`,
              base: 'main',
              state: state as 'open',
            },
            ...{
              title: `Move ${image.name} to ${version}`,
              createdAt,
              updatedAt: state === 'open' ? createdAt : ago(now, (place * 4.3 + 0.6) * DAY),
            },
            body: renderMarker({ image: image.name, version, digest, files: digest }),
            url: `https://git.acme.example/${name}/pulls/${index * 10 + 10 - place}`,
          },
        ];
      });
    });
    return { name, pulls: async () => pulls } as unknown as ForgeRepository;
  });
}

function budgetsOf(now: Date): readonly BudgetView[] {
  return [
    {
      host: 'registry-1.docker.io',
      kind: 'registry',
      identity: 'anonymous',
      limit: 200,
      remaining: 164,
      windowSeconds: 21_600,
      waiting: 0,
      spentToday: 412,
      seenAt: ago(now, 50 * SECOND),
    },
    {
      host: 'api.github.com',
      kind: 'forge',
      identity: 'account-1f0c3a7e',
      limit: 5000,
      remaining: 310,
      windowSeconds: 3600,
      waiting: 3,
      spentToday: 9120,
      pausedUntil: ago(now, -40 * SECOND),
      why: 'secondary rate limit',
      seenAt: ago(now, 5 * SECOND),
    },
    { host: 'registry.acme.example', kind: 'registry', identity: 'anonymous', waiting: 0, spentToday: 20_331 },
  ];
}

function ago(now: Date, ms: number): string {
  return new Date(now.getTime() - ms).toISOString();
}

/** Numerical Recipes' generator: the same numbers for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
