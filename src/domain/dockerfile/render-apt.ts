import { isOtherLocale } from '../fleet/manager-facts.ts';
import type { PackageSource, RenderedRecipe } from '../fleet/model.ts';
import type { Installer } from './installer.ts';
import { cacheMount, copyPlain, indented, LISTS, zoneCommands } from './render-run.ts';

/** Nobody is there to answer: a changed configuration file stays as it is. */
const APT_GET = 'apt-get -qy --no-install-recommends -o Dpkg::Options::=--force-confold';

export const apt: Installer = {
  mounts: ({ snapshot, cache }) => [
    snapshot
      ? `--mount=type=bind,from=${LISTS},target=/var/lib/apt/lists`
      : cacheMount(`apt-lists-${cache}`, '/var/lib/apt/lists'),
    cacheMount(`apt-cache-${cache}`, '/var/cache/apt'),
  ],
  commands: ({ names, upgrade }, { snapshot }) => [
    'export DEBIAN_FRONTEND=noninteractive',
    // Plain update ends well when an index could not be fetched (decisions 4). Nobody reads translated descriptions.
    ...(snapshot ? [] : ['apt-get -q update --error-on=any -o Acquire::Languages=none']),
    ...upgradeCommands(upgrade),
    ...(names.length === 0 ? [] : [`${APT_GET} install ${indented(names)}`]),
  ],
  // Written at build time by apt, dpkg and ldconfig, with times or inode numbers in them; packages ship none of these.
  leftovers: [
    '/var/cache/debconf/*-old',
    '/var/cache/ldconfig/aux-cache',
    '/var/lib/dpkg/*-old',
    '/var/log/alternatives.log',
    '/var/log/apt/eipp.log.xz',
    '/var/log/apt/history.log',
    '/var/log/apt/term.log',
    '/var/log/dpkg.log',
  ],
  source: renderSource,
  finishing({ locale, timezone, files }) {
    const commands: string[] = [];
    // Not the archive: one file a locale holds no hash table whose layout depends on what was there before.
    if (isOtherLocale(locale))
      commands.push(`localedef --no-archive -i ${locale.replace(/\..*$/, '')} -f UTF-8 ${locale}`);
    if (timezone !== undefined) commands.push(...zoneCommands(timezone), `echo ${timezone} > /etc/timezone`);
    if (files.some(({ to }) => to === 'trust-store')) commands.push('update-ca-certificates');
    return commands;
  },
};

/** `security`: what a suite called -security offers, found by a dry run, since apt has no such choice itself. */
function upgradeCommands(upgrade: RenderedRecipe['upgrade']): string[] {
  if (upgrade === 'none') return [];
  if (upgrade === 'all') return [`${APT_GET} --with-new-pkgs upgrade`];
  return [
    'upgrades="$(apt-get -qq --simulate --with-new-pkgs upgrade)"',
    `printf '%s\\n' "$upgrades" | sed -n 's/^Inst \\([^ ]*\\) .*-security.*/\\1/p' \\\n    | xargs -r ${APT_GET} --only-upgrade install`,
  ];
}

/** A deb822 source (sources.list(5)), its key limited to it. */
function renderSource({ name, uri, suites, components, keyring }: PackageSource): string {
  const key = `/etc/apt/keyrings/${name}${keyring.slice(keyring.lastIndexOf('.'))}`;
  return [
    copyPlain(keyring, key),
    `COPY --chown=0:0 --chmod=0644 <<"EOF" /etc/apt/sources.list.d/${name}.sources`,
    'Types: deb',
    `URIs: ${uri}`,
    `Suites: ${suites.join(' ')}`,
    ...(components.length === 0 ? [] : [`Components: ${components.join(' ')}`]),
    `Signed-By: ${key}`,
    'EOF',
  ].join('\n');
}
