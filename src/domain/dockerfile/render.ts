import type { FileEntry, Image, PackageSource, RenderedRecipe, Settings } from '../fleet/model.ts';
import { needsLocaleDefinition, trustStorePath } from '../fleet/rendered-checks.ts';
import { trackedName } from '../upstream.ts';
import { aptRun, plainRun } from './render-run.ts';

export interface RenderOptions {
  /** What FROM names, with digest: `golden/debian@sha256:…`. */
  readonly base: string;
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
  { base }: RenderOptions,
): RenderedDockerfile {
  const { recipe } = image;
  const runs = runsOf(image);
  const blocks = [
    `# Rendered by ingot. To change it, change images/${image.name}/image.yaml.`,
    `FROM ${base}`,
    // In reach of RUN, since tools such as useradd write it in place of the time of day.
    'ARG SOURCE_DATE_EPOCH',
    runs.length === 0 ? '' : 'USER 0',
    recipe.sources.map(renderSource).join('\n'),
    copies(recipe.files.filter(isAptFile)),
    runs
      .filter(({ shared }) => shared)
      .map(({ text }) => text)
      .join('\n'),
    copies(recipe.files.filter(isTrusted)),
    runs
      .filter(({ shared }) => !shared)
      .map(({ text }) => text)
      .join('\n'),
    copies(recipe.files.filter((file) => !isAptFile(file) && !isTrusted(file))),
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

/** Shared packages in a layer of their own, which siblings on the same base then share. */
function runsOf({
  recipe,
  secrets,
  inputs,
}: Parameters<typeof renderDockerfile>[0]): { shared: boolean; text: string }[] {
  const { packages, install, upgrade } = recipe;
  const common = {
    secrets,
    snapshot: usesSnapshot(recipe),
    cache: cacheName(trackedName(inputs[0]) ?? inputs[0]?.written ?? 'base'),
  };
  const after = finishingCommands(recipe);
  const first = packages.length > 0 || (install.length === 0 && upgrade !== 'none');
  const runs: { shared: boolean; text: string }[] = [];
  if (first) runs.push({ shared: true, text: aptRun({ ...common, packages, upgrade, after: [] }) });
  if (install.length > 0)
    runs.push({
      shared: false,
      text: aptRun({ ...common, packages: install, upgrade: first ? 'none' : upgrade, after }),
    });
  else if (after.length > 0) runs.push({ shared: false, text: plainRun(after) });
  return runs;
}

/**
 * Whether ingot fetches and verifies the archives' lists for the build, once for all platforms. Archives that the
 * definition itself adds, perhaps with a password, are asked by apt in the build.
 */
export function usesSnapshot({ manager, packages, install, upgrade, sources, files }: RenderedRecipe): boolean {
  const runsApt = packages.length > 0 || install.length > 0 || upgrade !== 'none';
  return manager === 'apt' && runsApt && sources.length === 0 && !files.some(isAptFile);
}

/** Lists of one distribution release are of no use to another. */
function cacheName(base: string): string {
  return base.replace(/@.*$/, '').replace(/[^a-zA-Z0-9]+/g, '-');
}

function finishingCommands({ locale, timezone, files }: RenderedRecipe): string[] {
  const commands: string[] = [];
  // Not the archive: one file a locale holds no hash table whose layout depends on what was there before.
  if (needsLocaleDefinition(locale))
    commands.push(`localedef --no-archive -i ${locale.replace(/\..*$/, '')} -f UTF-8 ${locale}`);
  if (timezone !== undefined) {
    commands.push(`test -f /usr/share/zoneinfo/${timezone}`);
    commands.push(`ln -snf /usr/share/zoneinfo/${timezone} /etc/localtime`, `echo ${timezone} > /etc/timezone`);
  }
  if (files.some(isTrusted)) commands.push('update-ca-certificates');
  return commands;
}

function isTrusted(file: FileEntry): boolean {
  return file.to === 'trust-store';
}

/** Settings of apt have to be there before it runs. */
function isAptFile({ to }: FileEntry): boolean {
  return to.startsWith('/etc/apt/');
}

function copies(files: readonly FileEntry[]): string {
  return files
    .map((file) => {
      if (!('mode' in file)) return `COPY --chown=0:0 --chmod=0644 ${file.source} ${trustStorePath(file.source)}`;
      return `COPY --chown=${file.owner} --chmod=${file.mode} ${file.source} ${file.to}`;
    })
    .join('\n');
}

/** A deb822 source (sources.list(5)), its key limited to it. */
function renderSource({ name, uri, suites, components, keyring }: PackageSource): string {
  const key = `/etc/apt/keyrings/${name}${keyring.slice(keyring.lastIndexOf('.'))}`;
  return [
    `COPY --chown=0:0 --chmod=0644 ${keyring} ${key}`,
    `COPY --chown=0:0 --chmod=0644 <<"EOF" /etc/apt/sources.list.d/${name}.sources`,
    'Types: deb',
    `URIs: ${uri}`,
    `Suites: ${suites.join(' ')}`,
    ...(components.length === 0 ? [] : [`Components: ${components.join(' ')}`]),
    `Signed-By: ${key}`,
    'EOF',
  ].join('\n');
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
