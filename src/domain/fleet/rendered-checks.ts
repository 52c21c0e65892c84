import type { Mistake } from '../errors.ts';
import type { Path, ReadDocument } from './document.ts';
import type { ImageFile } from './image.ts';
import { trustStorePath } from './manager-facts.ts';
import type { Image, RenderedRecipe } from './model.ts';
import { managerMistakes } from './rendered-manager.ts';

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
    ...managerMistakes(document, definition, recipe, bases),
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
function targetMistakes(document: Document, { files, manager }: RenderedRecipe): Mistake[] {
  const targets = files.map(({ source, to }) => (to === 'trust-store' ? trusted(source, manager) : to));
  return targets.flatMap((target, index) => {
    const at: Path = ['files', index, 'to'];
    if (target.endsWith('/'))
      return [document.mistake(at, `"${target}" is a folder`, 'write the path of the file itself')];
    const first = targets.indexOf(target);
    if (first === index) return [];
    return [document.mistake(at, `"${target}" is written by two entries`, 'remove one, or name it differently')];
  });
}

function trusted(source: string, manager: RenderedRecipe['manager']): string {
  return manager === 'none' ? source : trustStorePath(source, manager);
}

/** Nobody has a name in there, and nothing is there that is not named. */
export function scratchMistakes(
  document: Document,
  { from, files = [] }: ImageFile,
  recipe: RenderedRecipe,
): Mistake[] {
  const mistakes: Mistake[] = [];
  const remedy = 'write a number, as in 10001';
  const nameless = (text: string) => text.split(':').every((part) => /^\d+$/.test(part));
  if (recipe.user === '') mistakes.push(document.mistake([], '"user" is missing', 'write "user: 10001"'));
  else if (!nameless(recipe.user))
    mistakes.push(document.mistake(['user'], `an image from scratch knows no user "${recipe.user}"`, remedy));
  for (const [index, { owner = '0' }] of files.entries())
    if (!nameless(owner))
      mistakes.push(
        document.mistake(['files', index, 'owner'], `an image from scratch knows no user "${owner}"`, remedy),
      );
  if (from === 'scratch' && files.length === 0)
    mistakes.push(document.mistake(['from'], 'an image from scratch without files is empty', 'name some in "files"'));
  return mistakes;
}
