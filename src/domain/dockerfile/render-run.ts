import type { BuildSecret } from '../fleet/model.ts';
import type { Installer, Installing, Packages } from './installer.ts';

/** The folder of verified lists, as the Dockerfile names it. */
export const LISTS = 'ingot-lists';

/** The folder of files that name mirrors: each at its path in the image. */
export const SOURCES = 'ingot-sources';

/** One RUN that installs, and leaves nothing else behind. */
export function installRun(
  installer: Installer,
  what: Packages & { readonly after: readonly string[] },
  where: Installing,
): string {
  const sources = where.mirrored.map((path) => `--mount=type=bind,from=${SOURCES},source=${path},target=${path}`);
  const mounts = [...installer.mounts(where), ...sources, ...where.secrets.map(secretMount)];
  const commands = [...installer.commands(what, where), ...what.after, removeLeftovers(installer)];
  return `RUN ${mounts.join(' \\\n    ')} \\\n    ${chain(commands)}`;
}

/** One RUN without packages. */
export function plainRun(installer: Installer, commands: readonly string[]): string {
  return `RUN ${chain([...commands, removeLeftovers(installer)])}`;
}

/**
 * A cache for this build alone: two at once get two, where `locked` would make one wait for the other. The id does not
 * name the platform: the builder keeps platforms apart by BUILDKIT_CACHE_MOUNT_NS, which leaves no trace in the history.
 */
export function cacheMount(id: string, target: string): string {
  return `--mount=type=cache,id=${id},target=${target},sharing=private`;
}

export function indented(words: readonly string[]): string {
  return words.map((word) => `\\\n      ${word}`).join(' ');
}

/** Where each file of an image's folder goes, as root and for all to read. */
export function copyPlain(source: string, target: string): string {
  return `COPY --chown=0:0 --chmod=0644 ${source} ${target}`;
}

/** `test`: ln itself takes any name. */
export function zoneCommands(timezone: string): string[] {
  const zone = `/usr/share/zoneinfo/${timezone}`;
  return [`test -f ${zone}`, `ln -snf ${zone} /etc/localtime`];
}

function secretMount({ id, target }: BuildSecret): string {
  return `--mount=type=secret,id=${id}${target === undefined ? '' : `,target=${target}`},required=true`;
}

function removeLeftovers({ leftovers }: Installer): string {
  return `rm -f ${indented(leftovers)}`;
}

function chain(commands: readonly string[]): string {
  return commands.join(' \\\n && ');
}
