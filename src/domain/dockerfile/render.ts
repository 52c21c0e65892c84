import { SCRATCH } from '../fleet/manager.ts';
import { isSetting, trustStorePath } from '../fleet/manager-facts.ts';
import type { FileEntry, Image, RenderedRecipe, Settings } from '../fleet/model.ts';
import { trackedName } from '../upstream.ts';
import { INSTALLERS } from './installers.ts';
import { copyPlain, installRun, plainRun } from './render-run.ts';

export interface RenderOptions {
  /** What FROM names, with digest: `golden/debian@sha256:…`; or `scratch`. */
  readonly base: string;
  /** Files of the base that name archives which have mirrors: absolute paths. Default none. */
  readonly mirrored?: readonly string[];
}

export interface RenderedDockerfile {
  readonly dockerfile: string;
  /** What COPY takes from the image's folder: paths relative to it, sorted. */
  readonly contextFiles: readonly string[];
}

/**
 * Writes the Dockerfile of an image that has none of its own. The same definition gives the same text, byte for byte;
 * nothing in it depends on time, version or platform. The parts that siblings have in common come first.
 */
export function renderDockerfile(
  image: Pick<Image, 'name' | 'description' | 'secrets' | 'inputs'> & { readonly recipe: RenderedRecipe },
  settings: Pick<Settings, 'fleet' | 'source'>,
  { base, mirrored = [] }: RenderOptions,
): RenderedDockerfile {
  const { recipe } = image;
  const { manager } = recipe;
  const runs = runsOf(image, mirrored);
  const [settingFiles, others] = partition(recipe.files, ({ to }) => manager !== 'none' && isSetting(to, manager));
  const [trusted, rest] = partition(others, ({ to }) => to === 'trust-store');
  const blocks = [
    `# Rendered by ingot. To change it, change images/${image.name}/image.yaml.`,
    `FROM ${base}`,
    // In reach of RUN, since tools such as useradd write it in place of the time of day.
    base === SCRATCH ? '' : 'ARG SOURCE_DATE_EPOCH',
    runs.length === 0 ? '' : 'USER 0',
    manager === 'none' ? '' : recipe.sources.map(INSTALLERS[manager].source).join('\n'),
    copies(settingFiles, recipe),
    textOf(runs.filter(({ shared }) => shared)),
    copies(trusted, recipe),
    textOf(runs.filter(({ shared }) => !shared)),
    copies(rest, recipe),
    renderPairs('ENV', environment(recipe), quoteExpanding),
    renderPairs('LABEL', labels(image, settings), quoteLiteral),
    recipe.workdir === undefined ? '' : `WORKDIR ${recipe.workdir}`,
    recipe.entrypoint === undefined ? '' : `ENTRYPOINT ${JSON.stringify(recipe.entrypoint)}`,
    recipe.cmd === undefined ? '' : `CMD ${JSON.stringify(recipe.cmd)}`,
    `USER ${recipe.user}`,
  ];
  const used = [...recipe.files.map(({ source }) => source), ...recipe.sources.map(({ keyring }) => keyring)];
  return {
    dockerfile: `${blocks.filter((block) => block !== '').join('\n')}\n`,
    contextFiles: [...new Set(used)].sort(),
  };
}

/** The predefined build arguments for a proxy: BuildKit keeps them out of image, history and cache key. */
export function proxyArgs({ proxy = {} }: Pick<Settings, 'proxy'>): Record<string, string> {
  const values = { http_proxy: proxy.http, https_proxy: proxy.https, no_proxy: proxy.no };
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(
    given.flatMap(([name, value]) => [
      [name, value],
      [name.toUpperCase(), value],
    ]),
  );
}

interface Run {
  readonly shared: boolean;
  readonly text: string;
}

/** Shared packages in a layer of their own, which siblings on the same base then share. */
function runsOf(
  { recipe, secrets, inputs }: Parameters<typeof renderDockerfile>[0],
  mirrored: readonly string[],
): readonly Run[] {
  const { manager, packages, install, upgrade } = recipe;
  if (manager === 'none') return [];
  const installer = INSTALLERS[manager];
  const cache = cacheName(trackedName(inputs[0]) ?? inputs[0]?.written ?? 'base');
  const where = { secrets, snapshot: usesSnapshot(recipe), mirrored, cache };
  const after = installer.finishing(recipe);
  const first = packages.length > 0 || (install.length === 0 && upgrade !== 'none');
  const runs: Run[] = [];
  if (first) runs.push({ shared: true, text: installRun(installer, { names: packages, upgrade, after: [] }, where) });
  if (install.length > 0) {
    const what = { names: install, upgrade: first ? 'none' : upgrade, after } as const;
    runs.push({ shared: false, text: installRun(installer, what, where) });
  } else if (after.length > 0) runs.push({ shared: false, text: plainRun(installer, after) });
  return runs;
}

/**
 * Whether ingot fetches and verifies the archives' lists for the build, once for all platforms. Archives that the
 * definition itself adds, perhaps with a password, are asked by the manager in the build; dnf always asks itself.
 */
export function usesSnapshot(recipe: RenderedRecipe): boolean {
  const { manager, sources, files } = recipe;
  if (manager !== 'apt' && manager !== 'apk') return false;
  return installs(recipe) && sources.length === 0 && !files.some(({ to }) => isSetting(to, manager));
}

/** Whether a package manager runs in the build. */
export function installs({ manager, packages, install, upgrade }: RenderedRecipe): boolean {
  return manager !== 'none' && (packages.length > 0 || install.length > 0 || upgrade !== 'none');
}

/** Lists of one distribution release are of no use to another. */
function cacheName(base: string): string {
  return base.replace(/@.*$/, '').replace(/[^a-zA-Z0-9]+/g, '-');
}

function textOf(runs: readonly Run[]): string {
  return runs.map(({ text }) => text).join('\n');
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [items.filter(test), items.filter((item) => !test(item))];
}

function copies(files: readonly FileEntry[], { manager }: RenderedRecipe): string {
  return files
    .map((file) => {
      if ('mode' in file) return `COPY --chown=${file.owner} --chmod=${file.mode} ${file.source} ${file.to}`;
      // Without a manager there is no trust store, which is a mistake.
      return manager === 'none' ? '' : copyPlain(file.source, trustStorePath(file.source, manager));
    })
    .join('\n');
}

function environment({ env, locale }: RenderedRecipe): Record<string, string> {
  return { ...(locale === undefined ? {} : { LANG: locale }), ...env };
}

/** Only what the definition says: a version or time here would make every rebuild differ (decisions 1). */
function labels(
  { name, description, recipe }: Parameters<typeof renderDockerfile>[0],
  { fleet, source }: Pick<Settings, 'fleet' | 'source'>,
): Record<string, string> {
  return {
    'org.opencontainers.image.title': name,
    'org.opencontainers.image.vendor': fleet,
    ...(description === undefined ? {} : { 'org.opencontainers.image.description': description }),
    ...(source === undefined ? {} : { 'org.opencontainers.image.source': source }),
    ...recipe.labels,
  };
}

function renderPairs(
  instruction: string,
  pairs: Readonly<Record<string, string>>,
  quote: (text: string) => string,
): string {
  const sorted = Object.entries(pairs).sort(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length === 0) return '';
  return `${instruction} ${sorted.map(([name, value]) => `${name}=${quote(value)}`).join(' \\\n    ')}`;
}

function quoteLiteral(text: string): string {
  return `"${text.replace(/["\\$]/g, '\\$&')}"`;
}

/** `$PATH` means the variable, as in any Dockerfile; `$$` is a dollar. */
function quoteExpanding(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&').replaceAll('$$', '\\$')}"`;
}
