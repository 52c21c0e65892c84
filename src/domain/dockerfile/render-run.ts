import type { BuildSecret, RenderedRecipe } from '../fleet/model.ts';

/** The folder of apt's lists, as the Dockerfile names it. */
export const LISTS = 'ingot-lists';

export interface AptRun {
  readonly packages: readonly string[];
  readonly upgrade: RenderedRecipe['upgrade'];
  readonly secrets: readonly BuildSecret[];
  /** Whether the lists are mounted, verified before; else apt fetches them itself. */
  readonly snapshot: boolean;
  /** Part of the ids of the cache mounts. */
  readonly cache: string;
  /** Commands that need the packages. */
  readonly after: readonly string[];
}

/** Written at build time by apt, dpkg and ldconfig, with times or inode numbers in them; packages ship none of these. */
const LEFTOVERS = [
  '/var/cache/debconf/*-old',
  '/var/cache/ldconfig/aux-cache',
  '/var/lib/dpkg/*-old',
  '/var/log/alternatives.log',
  '/var/log/apt/eipp.log.xz',
  '/var/log/apt/history.log',
  '/var/log/apt/term.log',
  '/var/log/dpkg.log',
];

/** Nobody is there to answer: a changed configuration file stays as it is. */
const APT_GET = 'apt-get -qy --no-install-recommends -o Dpkg::Options::=--force-confold';

/**
 * One RUN that installs with apt and leaves nothing else behind. The index and the archives are in cache mounts, each
 * `private`: two builds at once get two, where `locked` would make one wait for the other. The mounts' ids do not name
 * the platform: the builder keeps platforms apart by BUILDKIT_CACHE_MOUNT_NS, which leaves no trace in the history.
 */
export function aptRun({ packages, upgrade, secrets, snapshot, cache, after }: AptRun): string {
  const mounts = [
    snapshot
      ? `--mount=type=bind,from=${LISTS},target=/var/lib/apt/lists`
      : `--mount=type=cache,id=apt-lists-${cache},target=/var/lib/apt/lists,sharing=private`,
    `--mount=type=cache,id=apt-cache-${cache},target=/var/cache/apt,sharing=private`,
    ...secrets.map(secretMount),
  ];
  const commands = [
    'export DEBIAN_FRONTEND=noninteractive',
    // Plain update ends well when an index could not be fetched (decisions 4). Nobody reads translated descriptions.
    ...(snapshot ? [] : ['apt-get -q update --error-on=any -o Acquire::Languages=none']),
    ...upgradeCommands(upgrade),
    ...(packages.length === 0 ? [] : [`${APT_GET} install ${indented(packages)}`]),
    ...after,
    removeLeftovers(),
  ];
  return `RUN ${mounts.join(' \\\n    ')} \\\n    ${chain(commands)}`;
}

/** One RUN without packages. */
export function plainRun(commands: readonly string[]): string {
  return `RUN ${chain([...commands, removeLeftovers()])}`;
}

function secretMount({ id, target }: BuildSecret): string {
  return `--mount=type=secret,id=${id}${target === undefined ? '' : `,target=${target}`},required=true`;
}

/** `security`: what a suite called -security offers, found by a dry run, since apt has no such choice itself. */
function upgradeCommands(upgrade: RenderedRecipe['upgrade']): string[] {
  if (upgrade === 'none') return [];
  if (upgrade === 'all') return [`${APT_GET} --with-new-pkgs upgrade`];
  return [
    'upgrades="$(apt-get -qq --simulate --with-new-pkgs upgrade)"',
    `printf '%s\\n' "$upgrades" | sed -n 's/^Inst \\([^ ]*\\) .*-security.*/\\1/p' \\\n    | xargs -r ${APT_GET} --only-upgrade install`,
  ];
}

function removeLeftovers(): string {
  return `rm -f ${indented(LEFTOVERS)}`;
}

function indented(words: readonly string[]): string {
  return words.map((word) => `\\\n      ${word}`).join(' ');
}

function chain(commands: readonly string[]): string {
  return commands.join(' \\\n && ');
}
