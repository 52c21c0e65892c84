import { type ParsedDockerfile, parseDockerfile } from '../dockerfile/parse.ts';
import type { Mistake } from '../errors.ts';
import type { ReadDocument } from './document.ts';
import { readDocument } from './document.ts';
import { type ImageFiles, sourceText } from './files.ts';
import { ImageFile, PLANNED_IMAGE_KEYS, RENDERED_KEYS } from './image.ts';
import type { SmokeTests, Waiver } from './model.ts';
import { nearestOf } from './nearest.ts';
import { readSmokeTests } from './smoke.ts';
import { NAME } from './values.ts';
import { readWaivers } from './waivers.ts';

/** One image folder, each of its files read by itself; what other images decide is not known yet. */
export interface Draft {
  readonly files: ImageFiles;
  readonly document: ReadDocument<ImageFile>;
  /** Absent when image.yaml has mistakes. */
  readonly definition?: ImageFile;
  readonly dockerfile?: ParsedDockerfile;
  readonly smoke?: SmokeTests;
  readonly waivers: readonly Waiver[];
  readonly mistakes: readonly Mistake[];
}

export const DOCKERFILE = 'Dockerfile';
export const DEFINITION = 'image.yaml';

export function readDraft(files: ImageFiles): Draft {
  const source = sourceText(files, DEFINITION);
  if (source === undefined) return withoutDefinition(files);
  const document = readDocument(source, ImageFile, { planned: PLANNED_IMAGE_KEYS });
  const dockerfile = files.texts[DOCKERFILE];
  const mistakes = [...nameMistakes(files), ...document.mistakes];
  const common = { files, document, ...(dockerfile === undefined ? {} : { dockerfile: parseDockerfile(dockerfile) }) };
  const definition = document.value;
  if (definition === undefined) return { ...common, waivers: [], mistakes };
  const smoke = readBeside(files, document, 'smoke', definition.smoke, readSmokeTests);
  const waivers = readBeside(files, document, 'waivers', definition.waivers, readWaivers);
  mistakes.push(
    ...smoke.mistakes,
    ...waivers.mistakes,
    ...kindMistakes(document, definition, dockerfile !== undefined),
  );
  return {
    ...common,
    definition,
    ...(smoke.value === undefined ? {} : { smoke: smoke.value }),
    waivers: waivers.value ?? [],
    mistakes,
  };
}

function withoutDefinition(files: ImageFiles): Draft {
  const document = readDocument({ path: `${files.path}/${DEFINITION}`, text: '' }, ImageFile);
  const missing = {
    file: files.path,
    message: `the folder has no ${DEFINITION}`,
    remedy: `write one, or move the folder out of images/`,
  };
  return { files, document, waivers: [], mistakes: [...nameMistakes(files), missing] };
}

function nameMistakes({ name, path }: ImageFiles): Mistake[] {
  if (NAME.test(name) && !['staging', 'mirror', 'fleet'].includes(name)) return [];
  const why = NAME.test(name) ? 'is a name that ingot uses itself' : 'is no image name';
  return [
    {
      file: path,
      message: `"${name}" ${why}`,
      remedy: 'name the folder with small letters, digits and single hyphens',
    },
  ];
}

/** smoke.yaml and waivers.yaml count when they are there; image.yaml may name other files. */
function readBeside<T>(
  files: ImageFiles,
  document: ReadDocument<ImageFile>,
  key: 'smoke' | 'waivers',
  named: string | undefined,
  read: (source: { path: string; text: string }) => ReadDocument<T>,
): { value?: T; mistakes: readonly Mistake[] } {
  const source = sourceText(files, named ?? `${key}.yaml`);
  if (source !== undefined) return read(source);
  if (named === undefined) return { mistakes: [] };
  const remedy = missingRemedy(named, Object.keys(files.texts));
  return { mistakes: [document.mistake([key], `${files.path}/${named} does not exist or is no YAML file`, remedy)] };
}

export function missingRemedy(path: string, existing: readonly string[]): string {
  const near = nearestOf(path, existing);
  return near === undefined ? 'add the file, or correct the path' : `did you mean "${near}"?`;
}

/** Fields that say the same things as a Dockerfile, beside a Dockerfile; and the other way round. */
function kindMistakes(document: ReadDocument<ImageFile>, definition: ImageFile, own: boolean): Mistake[] {
  if (own) {
    return RENDERED_KEYS.filter((key) => definition[key] !== undefined).map((key) =>
      document.mistake([key], `"${key}" means nothing beside an own Dockerfile`, 'say it in the Dockerfile'),
    );
  }
  const mistakes: Mistake[] = [];
  if (definition.target !== undefined)
    mistakes.push(document.mistake(['target'], '"target" needs an own Dockerfile', 'remove it'));
  if (definition.track !== undefined) {
    const remedy = 'write "from: { image: …, track: … }"';
    mistakes.push(document.mistake(['track'], '"track" needs an own Dockerfile', remedy));
  }
  if (definition.from === undefined)
    mistakes.push(
      document.mistake(
        [],
        '"from" is missing',
        'write "from: debian:12-slim" or "from: { golden: … }", or add a Dockerfile',
      ),
    );
  return mistakes;
}
