import type { PackageSource, RenderedRecipe } from '../fleet/model.ts';
import type { Installer } from './installer.ts';
import { cacheMount, copyPlain, indented, zoneCommands } from './render-run.ts';

/** Of dnf 4, dnf 5 and microdnf: one program may go by the name of another (Fedora's minimal image). */
const CACHES = { dnf: '/var/cache/dnf', libdnf5: '/var/cache/libdnf5', yum: '/var/cache/yum' } as const;

/** Both know these two; what is recommended is not installed, and what was downloaded is kept in the cache mount. */
const OPTIONS = '-y --setopt=install_weak_deps=0 --setopt=keepcache=1';

/**
 * What programs that had rpm's database open shared in memory: other bytes each time. It is made anew when it is empty,
 * but has to be there for those who may not write (rpm, lib/backend/sqlite.cc: "to support non-privileged readers").
 */
const FORGET = `for folder in /var/lib/rpm /usr/lib/sysimage/rpm; do \\
      test ! -f $folder/rpmdb.sqlite-shm || : > $folder/rpmdb.sqlite-shm; \\
    done`;

/** Its history has the time of each transaction, and rows in no order; its reasons are kept elsewhere in dnf 5. */
export const dnf = createInstaller(`dnf ${OPTIONS} --setopt=history_record=0`, ['dnf', 'libdnf5']);

export const microdnf = createInstaller(`microdnf ${OPTIONS}`, ['yum', 'libdnf5']);

function createInstaller(command: string, caches: readonly (keyof typeof CACHES)[]): Installer {
  return {
    mounts: ({ cache }) => caches.map((name) => cacheMount(`${name}-cache-${cache}`, CACHES[name])),
    commands({ names, upgrade }) {
      const upgrades = upgrade === 'none' ? [] : [`upgrade${upgrade === 'security' ? ' --security' : ''}`];
      const wanted = [...upgrades, ...(names.length === 0 ? [] : [`install ${indented(names)}`])];
      // What an earlier build left in the mount is asked for anew, and then once.
      return [...wanted.map((what, index) => `${command}${index === 0 ? ' --refresh' : ''} ${what}`), FORGET];
    },
    leftovers: [
      '/var/cache/ldconfig/aux-cache',
      '/var/lib/dnf/history.sqlite*',
      '/usr/lib/sysimage/libdnf5/transaction_history.sqlite*',
      '/var/log/dnf*.log*',
      '/var/log/hawkey.log*',
    ],
    source: renderSource,
    finishing,
  };
}

function finishing({ timezone, files }: Pick<RenderedRecipe, 'timezone' | 'files'>): string[] {
  return [
    ...(timezone === undefined ? [] : zoneCommands(timezone)),
    ...(files.some(({ to }) => to === 'trust-store') ? ['update-ca-trust'] : []),
  ];
}

/** dnf.conf(5). Packages are signed; their list, too, where the connection does not vouch for it. */
function renderSource({ name, uri, keyring }: PackageSource): string {
  const key = `/etc/pki/rpm-gpg/${name}${keyring.slice(keyring.lastIndexOf('.'))}`;
  return [
    copyPlain(keyring, key),
    `COPY --chown=0:0 --chmod=0644 <<"EOF" /etc/yum.repos.d/${name}.repo`,
    `[${name}]`,
    `name=${name}`,
    `baseurl=${uri}`,
    'enabled=1',
    'gpgcheck=1',
    ...(uri.startsWith('https:') ? [] : ['repo_gpgcheck=1']),
    `gpgkey=file://${key}`,
    'EOF',
  ].join('\n');
}
