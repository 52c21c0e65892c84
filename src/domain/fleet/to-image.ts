import type { Mistake } from '../errors.ts';
import { DOCKERFILE, type Draft } from './draft.ts';
import type { ImageFile } from './image.ts';
import type { BuildSecret, Image, ImageInput, OwnRecipe, RenderedRecipe, Settings } from './model.ts';
import type { PackagesFile } from './packages.ts';
import { definitionParts } from './parts.ts';
import { toRendered } from './rendered.ts';

/** What is known of the rest of the fleet when an image's turn comes. */
export interface Around {
  readonly settings: Settings;
  /** Absent when packages.yaml has mistakes. */
  readonly sets?: PackagesFile;
  /** Those before it: all its parents, unless they have mistakes. */
  readonly images: ReadonlyMap<string, Image>;
}

/** Puts a draft and what the fleet says around it together. Without image when the definition could not be read. */
export function toImage(
  draft: Draft,
  inputs: readonly ImageInput[],
  around: Around,
): { image?: Image; mistakes: readonly Mistake[] } {
  const { definition, files, smoke, waivers } = draft;
  if (definition === undefined) return { mistakes: [] };
  const { recipe, mistakes } = toRecipe(draft, definition, inputs, around);
  const platforms = definition.platforms ?? around.settings.platforms;
  const { fleet, source } = around.settings;
  const settings = { fleet, ...(source === undefined ? {} : { source }) };
  const image: Image = {
    name: files.name,
    folder: files.folder,
    ...(definition.description === undefined ? {} : { description: definition.description }),
    owners: definition.owners.map(toOwner),
    line: definition.line,
    platforms,
    recipe,
    inputs,
    definition: definitionParts({ files, definition, recipe, settings, sets: around.sets ?? {} }),
    ...(smoke === undefined ? {} : { smoke }),
    waivers,
    ...(definition.deprecated === undefined ? {} : { deprecated: definition.deprecated }),
    ...(definition.rollout === undefined ? {} : { rollout: definition.rollout }),
    secrets: definition.secrets.map(toSecret),
  };
  return {
    image,
    mistakes: [...mistakes, ...platformMistakes(draft, image, around), ...secretMistakes(draft, definition)],
  };
}

function toRecipe(
  draft: Draft,
  definition: ImageFile,
  inputs: readonly ImageInput[],
  { sets, images }: Around,
): { recipe: RenderedRecipe | OwnRecipe; mistakes: readonly Mistake[] } {
  const { folder } = draft.files;
  if (draft.dockerfile !== undefined) {
    const target = definition.target === undefined ? {} : { target: definition.target };
    const recipe = {
      kind: 'own',
      dockerfile: `${folder}/${DOCKERFILE}`,
      context: `${folder}/context`,
      ...target,
    } as const;
    return { recipe, mistakes: [] };
  }
  const [base] = inputs;
  const bases = basesOf(base, images);
  return toRendered(draft, definition, {
    ...(sets === undefined ? {} : { sets }),
    ...(base === undefined ? {} : { base }),
    ...(bases === undefined ? {} : { bases }),
  });
}

/** The golden images below an image, following bases alone. */
function basesOf(base: ImageInput | undefined, images: ReadonlyMap<string, Image>): Image[] {
  if (base === undefined || !('golden' in base.source)) return [];
  const image = images.get(base.source.golden);
  if (image === undefined) return [];
  return [
    image,
    ...basesOf(
      image.inputs.find(({ role }) => role === 'base'),
      images,
    ),
  ];
}

function platformMistakes({ document }: Draft, image: Image, { settings, images }: Around): Mistake[] {
  const outside = image.platforms.filter((platform) => !settings.platforms.includes(platform));
  const mistakes = outside.map((platform) =>
    document.mistake(
      ['platforms'],
      `${platform} is none of the fleet's platforms`,
      'add it to "platforms" in ingot.yaml',
    ),
  );
  const parents = image.inputs.flatMap(({ source }) => ('golden' in source ? (images.get(source.golden) ?? []) : []));
  for (const parent of parents) {
    const missing = image.platforms.filter((platform) => !parent.platforms.includes(platform));
    if (missing.length === 0 || outside.length > 0) continue;
    const message = `${image.name} is for ${missing.join(', ')}, but its input ${parent.name} is not`;
    const remedy = `write "platforms: [${parent.platforms.join(', ')}]" here, or widen ${parent.name}`;
    mistakes.push(document.mistake(['platforms'], message, remedy));
  }
  return mistakes;
}

function secretMistakes({ document }: Draft, { secrets }: ImageFile): Mistake[] {
  return secrets.flatMap(({ id }, index) =>
    secrets.findIndex((secret) => secret.id === id) === index
      ? []
      : [document.mistake(['secrets', index, 'id'], `there are two secrets "${id}"`, 'rename one')],
  );
}

function toOwner(owner: ImageFile['owners'][number]): Image['owners'][number] {
  if (typeof owner === 'string') return { team: owner };
  return { team: owner.team, ...(owner.contact === undefined ? {} : { contact: owner.contact }) };
}

function toSecret({ id, env, file, target }: ImageFile['secrets'][number]): BuildSecret {
  return { id, from: env === undefined ? { file: file! } : { env }, ...(target === undefined ? {} : { target }) };
}
