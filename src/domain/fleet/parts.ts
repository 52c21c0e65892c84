import { type Digest, digestOf } from '../digest.ts';
import { canonicalJson } from '../inputs.ts';
import { DOCKERFILE } from './draft.ts';
import type { ContentFile, ImageFiles } from './files.ts';
import type { ImageFile } from './image.ts';
import { SCRATCH } from './manager.ts';
import { MANAGERS } from './manager-facts.ts';
import type { OwnRecipe, RenderedRecipe, Settings } from './model.ts';
import type { PackagesFile } from './packages.ts';

/** What the parts of a definition are taken from. */
export interface Content {
  readonly files: ImageFiles;
  readonly definition: ImageFile;
  readonly recipe: RenderedRecipe | OwnRecipe;
  readonly settings: Pick<Settings, 'fleet' | 'source'>;
  readonly sets: PackagesFile;
}

/**
 * Everything in the definitions that decides an image's content, part by part, so that a reason can name the part.
 * Values count, not how they are written: a default written down is no change. Owners, line, waivers and smoke tests
 * are not among them.
 */
export function definitionParts(content: Content): Record<string, Digest> {
  const parts =
    content.recipe.kind === 'own' ? ownParts(content, content.recipe) : renderedParts(content, content.recipe);
  const secrets = content.definition.secrets.map(({ id, target }) => ({ id, target: target ?? null }));
  return sortKeys({ ...parts, ...valueParts('image.yaml', { secrets }) });
}

function ownParts({ files }: Content, { target }: OwnRecipe): Record<string, Digest> {
  const context = Object.entries(files.files).filter(([path]) => path.startsWith('context/'));
  return {
    [DOCKERFILE]: files.files[DOCKERFILE]!.digest,
    ...valueParts('image.yaml', { target }),
    ...Object.fromEntries(context.map(([path, file]) => [path, withMode(file)])),
  };
}

/** COPY keeps the executable bit, so it is content. */
function withMode({ digest, executable }: ContentFile): Digest {
  return executable ? digestOf(`${digest} executable`) : digest;
}

function renderedParts(
  { files, definition, settings, sets }: Content,
  rendered: RenderedRecipe,
): Record<string, Digest> {
  const { kind: _kind, packages: _packages, manager, upgrade, entrypoint, cmd, ...fields } = rendered;
  const used = [...rendered.files.map(({ source }) => source), ...rendered.sources.map(({ keyring }) => keyring)];
  const shared = (definition.packages ?? []).map((name) => [
    `packages.yaml#${name}`,
    digestOf(canonicalJson([...new Set(manager === 'none' ? [] : sets[name]?.[MANAGERS[manager].set])].sort())),
  ]);
  return {
    ...valueParts('ingot.yaml', { fleet: settings.fleet, source: settings.source }),
    ...valueParts('image.yaml', {
      description: definition.description,
      upgrade: upgrade === 'all' ? undefined : upgrade,
      manager: manager === 'apt' ? undefined : manager,
      // A base is an input; that there is none is said nowhere else.
      from: definition.from === SCRATCH ? SCRATCH : undefined,
    }),
    ...valueParts('image.yaml', fields),
    // An empty list is a value here: it takes away what the base has.
    ...valueParts('image.yaml', { entrypoint: entrypoint && { argv: entrypoint }, cmd: cmd && { argv: cmd } }),
    ...Object.fromEntries(shared),
    ...Object.fromEntries(used.flatMap((path) => (files.files[path] ? [[path, files.files[path].digest]] : []))),
  };
}

function valueParts(file: string, values: Readonly<Record<string, unknown>>): Record<string, Digest> {
  const entries = Object.entries(values).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(entries.map(([name, value]) => [`${file}#${name}`, digestOf(canonicalJson(value))]));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
}

function sortKeys(parts: Record<string, Digest>): Record<string, Digest> {
  return Object.fromEntries(Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
