import { isApkRepositories } from './apk-files.ts';
import type { PackageState } from './state.ts';

/** One index of one archive, as apk-repositories(5) names it. */
export interface ApkRepository {
  /** Of the index, with variables filled in; not an address of http when the archive is in the image itself. */
  readonly index: string;
  /** Without the architecture and the index: what people know it by. */
  readonly address: string;
  /** Only packages that name it in /etc/apk/world are taken from there: `edge` of `@edge`. */
  readonly tag?: string;
  /** `v3` is apk's new binary index. */
  readonly format: 'v2' | 'v3';
  /** The file that says so. */
  readonly file: string;
}

/** The repositories of an image in apk's order: /etc/apk/repositories, then those in folders by name. */
export function apkRepositoriesOf({
  files,
  architecture,
}: Pick<PackageState, 'files' | 'architecture'>): readonly ApkRepository[] {
  const variables = new Map([['APK_ARCH', architecture]]);
  return repositoryFiles(files).flatMap((file) => {
    const lines = new TextDecoder().decode(files[file]).split(/\r?\n/);
    return lines.flatMap((line) => parseLine(line.trim(), { file, architecture, variables }));
  });
}

function repositoryFiles(files: PackageState['files']): readonly string[] {
  const paths = Object.keys(files).filter(isApkRepositories);
  const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
  const folders = ['/etc/apk/repositories.d/', '/lib/apk/repositories.d/', '/usr/lib/apk/repositories.d/'];
  const byName = new Map<string, string>();
  // A file in /etc stands for the one of the same name in /lib.
  for (const folder of folders.toReversed())
    for (const path of paths) if (path.startsWith(folder)) byName.set(nameOf(path), path);
  const listed = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  return [...paths.filter((path) => path === '/etc/apk/repositories'), ...listed];
}

interface Context {
  readonly file: string;
  readonly architecture: string;
  readonly variables: Map<string, string>;
}

/** `[v2|v3|ndx] [@tag] URL [component…]`, or `set [-default] NAME=value` (apk-tools 3.0, src/repoparser.c). */
function parseLine(line: string, { file, architecture, variables }: Context): ApkRepository[] {
  if (line === '' || line.startsWith('#')) return [];
  const words = line.split(/\s+/);
  if (words[0] === 'set') {
    setVariable(words.slice(1), variables);
    return [];
  }
  const keyword = /^(v2|v3|ndx)$/.test(words[0]!) ? words.shift() : undefined;
  const tag = words[0]?.startsWith('@') ? words.shift()!.slice(1) : undefined;
  const [url = '', ...components] = words.map((word) => substitute(word, variables).replace(/\/+$/, ''));
  if (url === '') return [];
  const addresses = components.length === 0 ? [url] : components.map((component) => `${url}/${component}`);
  return addresses.map((address) => ({
    ...indexOf(address, keyword, architecture),
    ...(tag === undefined ? {} : { tag }),
    file,
  }));
}

function indexOf(address: string, keyword: string | undefined, architecture: string) {
  const isIndex = /(\.adb|\.tar\.gz)$/.test(address);
  if (keyword === 'ndx' || (keyword === undefined && isIndex)) {
    const format = address.endsWith('.adb') ? ('v3' as const) : ('v2' as const);
    return { index: address, address: address.slice(0, address.lastIndexOf('/')), format };
  }
  if (keyword === 'v3') return { index: `${address}/${architecture}/Packages.adb`, address, format: 'v3' as const };
  return { index: `${address}/${architecture}/APKINDEX.tar.gz`, address, format: 'v2' as const };
}

function setVariable(words: readonly string[], variables: Map<string, string>): void {
  const [, name, value] = /^([A-Za-z]\w*)=(.*)$/.exec(words.at(-1) ?? '') ?? [];
  if (name === undefined || value === undefined || name.startsWith('APK_')) return;
  if (words[0] === '-default' && variables.has(name)) return;
  variables.set(name, substitute(value, variables));
}

/** `${NAME}`, `${NAME:3}` for the first three characters. An unknown one stays, and no address comes of it. */
function substitute(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$\{([^}:]+)(?::(\d+))?\}/g, (whole, name: string, length?: string) => {
    const value = variables.get(name);
    return value === undefined ? whole : value.slice(0, length === undefined ? undefined : Number(length));
  });
}
