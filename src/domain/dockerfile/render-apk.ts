import type { PackageSource } from '../fleet/model.ts';
import type { Installer } from './installer.ts';
import { cacheMount, copyPlain, indented, LISTS, zoneCommands } from './render-run.ts';

/** Where the verified indexes are while packages are installed. */
const MOUNTED = '/run/ingot-lists';

/** Named, so that it holds packages as well; without a name, apk keeps indexes alone there. */
const CACHE = '/var/cache/apk';

export const apk: Installer = {
  mounts: ({ snapshot, cache }) => [
    ...(snapshot ? [`--mount=type=bind,from=${LISTS},target=${MOUNTED}`] : []),
    cacheMount(`apk-cache-${cache}`, CACHE),
  ],
  commands: ({ names, upgrade }, { snapshot }) => {
    const command = `apk --no-progress --cache-dir ${CACHE}`;
    return [
      // Indexes are not asked for again while they are younger than four hours. Plain add goes on when one is missing.
      snapshot ? `cp ${MOUNTED}/* ${CACHE}/` : `${command} update`,
      ...(upgrade === 'none' ? [] : [`${command} upgrade`]),
      ...(names.length === 0 ? [] : [`${command} add ${indented(names)}`]),
    ];
  },
  // apk 3 keeps a log.
  leftovers: ['/var/log/apk.log'],
  source: renderSource,
  finishing: ({ timezone, files }) => [
    ...(timezone === undefined ? [] : [...zoneCommands(timezone), `echo ${timezone} > /etc/timezone`]),
    ...(files.some(({ to }) => to === 'trust-store') ? ['update-ca-certificates'] : []),
  ],
};

/** The name of a key is how signatures name it (apk-keys(5)). Suites and components are folders, as Alpine has them. */
function renderSource({ name, uri, suites, components, keyring }: PackageSource): string {
  const folders = suites.flatMap((suite) =>
    components.length === 0 ? [suite] : components.map((each) => `${suite}/${each}`),
  );
  return [
    copyPlain(keyring, `/etc/apk/keys/${keyring.slice(keyring.lastIndexOf('/') + 1)}`),
    `COPY --chown=0:0 --chmod=0644 <<"EOF" /etc/apk/repositories.d/${name}.list`,
    ...(folders.length === 0 ? [uri] : folders.map((folder) => `${uri.replace(/\/$/, '')}/${folder}`)),
    'EOF',
  ].join('\n');
}
