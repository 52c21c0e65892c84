import type { Mistake } from '../errors.ts';
import type { Path, ReadDocument } from './document.ts';
import type { ImageFile } from './image.ts';
import type { Image, RenderedRecipe } from './model.ts';

type Document = ReadDocument<ImageFile>;

/** Names that say "this is a secret" with fair certainty; the value would be in the image for all to read. */
const SECRET_NAME =
  /(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|(API|ACCESS|PRIVATE|SECRET)_?KEY)(_|$)/i;
const PROXY_NAME = /^(https?|ftp|no|all)_proxy$/i;

/** Labels that would change with every build, or that ingot writes into the index (decisions 1). */
const INDEX_LABELS = ['created', 'version', 'revision', 'ref.name', 'base.name', 'base.digest'].map(
  (name) => `org.opencontainers.image.${name}`,
);

/** What fields of a rendered image demand of each other and of the image's bases. */
export function contentMistakes(
  document: Document,
  definition: ImageFile,
  recipe: RenderedRecipe,
  bases: readonly Image[] | undefined,
): Mistake[] {
  return [
    ...envMistakes(document, definition),
    ...labelMistakes(document, definition),
    ...targetMistakes(document, recipe),
    ...sourceMistakes(document, definition),
    ...(bases === undefined ? [] : neededPackages(document, recipe, bases)),
  ];
}

function envMistakes(document: Document, { env = {}, locale }: ImageFile): Mistake[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const at = ['env', name];
    if (value !== '' && (SECRET_NAME.test(name) || /:\/\/[^\s/@]+:[^\s/@]+@/.test(value))) {
      const remedy = 'what the build needs goes into "secrets:", what the container needs is given when it starts';
      return [document.mistake(at, `"${name}" looks like a secret, and would be in the image for all to read`, remedy)];
    }
    if (PROXY_NAME.test(name))
      return [document.mistake(at, `"${name}" would stay in the image`, 'write "proxy:" in ingot.yaml')];
    if (locale !== undefined && (name === 'LANG' || name === 'LC_ALL'))
      return [document.mistake(at, `"${name}" and "locale" say the same thing`, 'remove it')];
    return [];
  });
}

function labelMistakes(document: Document, { labels = {} }: ImageFile): Mistake[] {
  return Object.keys(labels)
    .filter((name) => INDEX_LABELS.includes(name))
    .map((name) =>
      document.mistake(['labels', name], `"${name}" is written by ingot, as an annotation of the release`, 'remove it'),
    );
}

/** Two files in one place: the later one would win silently. */
function targetMistakes(document: Document, { files }: RenderedRecipe): Mistake[] {
  const targets = files.map(({ source, to }) => (to === 'trust-store' ? trustStorePath(source) : to));
  return targets.flatMap((target, index) => {
    const at: Path = ['files', index, 'to'];
    if (target.endsWith('/'))
      return [document.mistake(at, `"${target}" is a folder`, 'write the path of the file itself')];
    const first = targets.indexOf(target);
    if (first === index) return [];
    return [document.mistake(at, `"${target}" is written by two entries`, 'remove one, or name it differently')];
  });
}

/** Where Debian's update-ca-certificates looks for local certificates; it takes only names in .crt. */
export function trustStorePath(source: string): string {
  const name = source
    .split('/')
    .at(-1)!
    .replace(/\.(crt|pem|cer)$/i, '');
  return `/usr/local/share/ca-certificates/${name}.crt`;
}

/** sources.list(5): a suite that ends with a slash is an exact path and has no components; others have some. */
function sourceMistakes(document: Document, { sources = [] }: ImageFile): Mistake[] {
  return sources.flatMap(({ name, suites, components }, index) => {
    const mistakes: Mistake[] = [];
    const exact = suites.filter((suite) => suite.endsWith('/')).length;
    const wrong = exact === suites.length ? components.length > 0 : exact > 0 || components.length === 0;
    const remedy = 'suites that end with "/" have no components, all others have at least one, as in [main]';
    if (wrong)
      mistakes.push(document.mistake(['sources', index], 'its suites and components do not fit together', remedy));
    if (sources.findIndex((source) => source.name === name) !== index)
      mistakes.push(document.mistake(['sources', index, 'name'], `"${name}" stands here twice`, 'rename one'));
    return mistakes;
  });
}

function neededPackages(document: Document, recipe: RenderedRecipe, bases: readonly Image[]): Mistake[] {
  // An own Dockerfile may have installed anything.
  if (bases.some(({ recipe: { kind } }) => kind === 'own')) return [];
  const recipes = [recipe, ...bases.map((image) => image.recipe as RenderedRecipe)];
  const has = (name: string) =>
    recipes.some(({ packages, install }) => packages.includes(name) || install.includes(name));
  const needs: [name: string, at: Path, what: string, wanted: boolean][] = [
    [
      'ca-certificates',
      ['files', recipe.files.findIndex(({ to }) => to === 'trust-store'), 'to'],
      'the trust store',
      recipe.files.some(({ to }) => to === 'trust-store'),
    ],
    ['locales', ['locale'], `the locale ${recipe.locale}`, needsLocaleDefinition(recipe.locale)],
    ['tzdata', ['timezone'], `the time zone ${recipe.timezone}`, recipe.timezone !== undefined],
  ];
  return needs
    .filter(([name, , , wanted]) => wanted && !has(name))
    .map(([name, at, what]) => document.mistake(at, `${what} needs the package "${name}"`, 'add it to "install"'));
}

/** The C locales are part of the C library; others have to be compiled. */
export function needsLocaleDefinition(locale: string | undefined): locale is string {
  return locale !== undefined && !['C', 'POSIX', 'C.UTF-8'].includes(locale);
}
