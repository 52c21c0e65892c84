import type { Mistake } from '../errors.ts';
import type { Path, ReadDocument } from './document.ts';
import type { ImageFile } from './image.ts';
import { SCRATCH } from './manager.ts';
import { isOtherLocale, MANAGERS } from './manager-facts.ts';
import type { Image, PackageManager, RenderedRecipe } from './model.ts';

type Document = ReadDocument<ImageFile>;

/** What a definition asks for that its package manager cannot do, or not without certain packages. */
export function managerMistakes(
  document: Document,
  definition: ImageFile,
  recipe: RenderedRecipe,
  bases: readonly Image[] | undefined,
): Mistake[] {
  const { manager } = recipe;
  if (manager === 'none') return noManagerMistakes(document, definition, bases);
  return [
    ...upgradeMistakes(document, definition, manager),
    ...sourceMistakes(document, definition, manager),
    ...localeMistakes(document, definition, manager),
    ...(bases === undefined ? [] : neededPackages(document, { recipe, manager, bases })),
  ];
}

/** Nothing is installed there, and no command can be counted on. */
function noManagerMistakes(document: Document, definition: ImageFile, bases: readonly Image[] = []): Mistake[] {
  const { packages = [], install = [], sources = [], upgrade = 'none', locale, timezone, files = [] } = definition;
  const bundle = 'name a whole bundle in "files", with "to: /etc/ssl/certs/ca-certificates.crt"';
  const own = 'remove it, or bring an own Dockerfile';
  const known = definition.from === SCRATCH || bases.length > 0;
  const other = known ? own : `${own}; if the base has a package manager after all, name it in "manager"`;
  const zone = 'name the file itself in "files", with "to: /etc/localtime"';
  const wanted: [Path, boolean, string, string][] = [
    [['packages'], packages.length > 0, 'no packages can be installed', other],
    [['install'], install.length > 0, 'no packages can be installed', other],
    [['sources'], sources.length > 0, 'no packages can be installed', other],
    [['upgrade'], upgrade !== 'none', 'nothing can be upgraded', 'write "upgrade: none", or nothing'],
    [['locale'], isOtherLocale(locale), `the locale ${locale} cannot be made`, 'write C.UTF-8'],
    [['timezone'], timezone !== undefined, 'a time zone cannot be set', zone],
    ...files.map(({ to }, index): [Path, boolean, string, string] => [
      ['files', index, 'to'],
      to === 'trust-store',
      'there is no trust store',
      bundle,
    ]),
  ];
  return wanted
    .filter(([, wrong]) => wrong)
    .map(([at, , what, remedy]) => document.mistake(at, `${what} in an image without a package manager`, remedy));
}

function upgradeMistakes(document: Document, { upgrade }: ImageFile, manager: PackageManager): Mistake[] {
  if (upgrade !== 'security' || MANAGERS[manager].security) return [];
  const message = `${manager} cannot tell updates of security from others`;
  return [document.mistake(['upgrade'], message, 'write "upgrade: all"')];
}

function sourceMistakes(document: Document, { sources = [] }: ImageFile, manager: PackageManager): Mistake[] {
  const { key } = MANAGERS[manager];
  return sources.flatMap((source, index) => {
    const mistakes: Mistake[] = [];
    const { name, uri, keyring } = source;
    const [message, remedy] = shapeMistake(source, manager) ?? [];
    if (message !== undefined) mistakes.push(document.mistake(['sources', index], message, remedy));
    if (uri.includes('$') && key !== MANAGERS.dnf.key)
      mistakes.push(document.mistake(['sources', index, 'uri'], `${manager} knows no variables here`, 'write it out'));
    if (!key.pattern.test(keyring))
      mistakes.push(document.mistake(['sources', index, 'keyring'], `"${keyring}" ${key.said}`));
    if (sources.findIndex((other) => other.name === name) !== index)
      mistakes.push(document.mistake(['sources', index, 'name'], `"${name}" stands here twice`, 'rename one'));
    return mistakes;
  });
}

type Source = NonNullable<ImageFile['sources']>[number];

function shapeMistake({ suites, components }: Source, manager: PackageManager): [string, string] | undefined {
  if (manager === 'apk') {
    if (suites.length > 0 || components.length === 0) return undefined;
    return ['its components are in no suite', 'name the suite, as in "suites: [v3.22]", or the whole address in "uri"'];
  }
  if (manager !== 'apt') {
    if (suites.length === 0 && components.length === 0) return undefined;
    return [`repositories of ${manager} have no suites and components`, 'name the whole address in "uri"'];
  }
  // sources.list(5): a suite that ends with a slash is an exact path and has no components; others have some.
  const exact = suites.filter((suite) => suite.endsWith('/')).length;
  const fits = exact === suites.length ? components.length === 0 : exact === 0 && components.length > 0;
  if (suites.length === 0) return ['it names no suite', 'name some, as in "suites: [stable]"'];
  if (fits) return undefined;
  return [
    'its suites and components do not fit together',
    'suites that end with "/" have no components, all others have at least one, as in [main]',
  ];
}

function localeMistakes(document: Document, { locale }: ImageFile, manager: PackageManager): Mistake[] {
  if (!isOtherLocale(locale) || MANAGERS[manager].localePackage(locale) !== undefined) return [];
  const remedy = 'write C.UTF-8; or install what has it, and name LANG in "env"';
  return [document.mistake(['locale'], `the locale ${locale} cannot be made with ${manager}`, remedy)];
}

interface Needing {
  readonly recipe: RenderedRecipe;
  readonly manager: PackageManager;
  readonly bases: readonly Image[];
}

function neededPackages(document: Document, { recipe, manager, bases }: Needing): Mistake[] {
  // An own Dockerfile may have installed anything.
  if (bases.some(({ recipe: { kind } }) => kind === 'own')) return [];
  const recipes = [recipe, ...bases.map((image) => image.recipe as RenderedRecipe)];
  const has = (name: string) =>
    recipes.some(({ packages, install }) => packages.includes(name) || install.includes(name));
  const { locale, timezone, files } = recipe;
  const trusted = files.findIndex(({ to }) => to === 'trust-store');
  const needs: [name: string | undefined, at: Path, what: string][] = [
    [trusted < 0 ? undefined : 'ca-certificates', ['files', trusted, 'to'], 'the trust store'],
    [isOtherLocale(locale) ? MANAGERS[manager].localePackage(locale) : undefined, ['locale'], `the locale ${locale}`],
    [timezone === undefined ? undefined : 'tzdata', ['timezone'], `the time zone ${timezone}`],
  ];
  return needs.flatMap(([name, at, what]) =>
    name === undefined || has(name)
      ? []
      : [document.mistake(at, `${what} needs the package "${name}"`, 'add it to "install"')],
  );
}
