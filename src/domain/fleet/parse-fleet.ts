import { DefinitionError, type Mistake } from '../errors.ts';
import { findCycles, parentsFirst, parentsOf } from '../graph.ts';
import { successorMistake } from './deprecated.ts';
import { type ReadDocument, readDocument } from './document.ts';
import { DEFINITION, type Draft, readDraft } from './draft.ts';
import type { FleetFiles } from './files.ts';
import { type FoundInputs, type Golden, inputsOf } from './inputs.ts';
import type { Fleet, Image, Settings } from './model.ts';
import { PackagesFile } from './packages.ts';
import { PLANNED_SETTINGS, SettingsFile, toSettings } from './settings.ts';
import { channelMistakes } from './settings-channels.ts';
import { replicaMistakes } from './settings-retention.ts';
import { mistakeInUpstream } from './sources.ts';
import { toImage } from './to-image.ts';

/**
 * Makes the fleet of its files. Pure: nothing is read here.
 * @throws DefinitionError with every mistake of every file at once
 */
export function parseFleet(files: FleetFiles): Fleet {
  const settings = readDocument(files.settings, SettingsFile, { planned: PLANNED_SETTINGS });
  const packages = readDocument(files.packages ?? { path: 'images/packages.yaml', text: '' }, PackagesFile);
  const drafts = files.images.map(readDraft);
  const mistakes = [
    ...(files.mistakes ?? []),
    ...settings.mistakes,
    ...settingsMistakes(settings),
    ...packages.mistakes,
    ...drafts.flatMap((draft) => draft.mistakes),
    ...duplicateNames(drafts),
    ...successorMistakes(drafts),
    ...gateMistakes(settings, drafts),
  ];
  if (drafts.length === 0 && mistakes.length === 0) mistakes.push(emptyFleet());
  const built = buildImages(drafts, {
    settings: toSettings(settings.value ?? SettingsFile.parse({ fleet: 'unknown' })),
    ...(packages.value === undefined ? {} : { sets: packages.value }),
  });
  mistakes.push(...built.mistakes);
  if (mistakes.length > 0) throw new DefinitionError(inOrder(mistakes));
  return { settings: toSettings(settings.value!), images: built.images };
}

function emptyFleet(): Mistake {
  return { file: 'images', message: 'there is no image in this folder', remedy: '"ingot init" writes a first one' };
}

function settingsMistakes({ value, mistake }: ReadDocument<SettingsFile>): Mistake[] {
  const upstreams = Object.entries(value?.upstreams ?? {}).flatMap(([key, replacement]) => {
    const found = mistakeInUpstream(key, replacement);
    return found === undefined ? [] : [mistake(['upstreams', key], found.message, found.remedy)];
  });
  const names = (value?.channels ?? []).map(({ name }) => name);
  const channels = names.flatMap((name, index) =>
    names.indexOf(name) === index
      ? []
      : [mistake(['channels', index], `there are two channels "${name}"`, 'remove one')],
  );
  const together = value === undefined ? [] : [...channelMistakes(value), ...replicaMistakes(value)];
  return [...upstreams, ...channels, ...together.map(({ at, message, remedy }) => mistake(at, message, remedy))];
}

function gateMistakes({ value, mistake }: ReadDocument<SettingsFile>, drafts: readonly Draft[]): Mistake[] {
  const names = new Set(drafts.map(({ files }) => files.name));
  return (value?.gates ?? []).flatMap(({ images = [] }, index) =>
    images
      .filter((name) => !names.has(name))
      .map((name) => mistake(['gates', index, 'images'], `there is no image "${name}"`, 'name a folder of images/')),
  );
}

function successorMistakes(drafts: readonly Draft[]): Mistake[] {
  const names = drafts.map(({ files }) => files.name);
  return drafts.flatMap(({ files, definition, document }) => {
    const found = definition?.deprecated && successorMistake(files.name, definition.deprecated, names);
    return found ? [document.mistake(['deprecated', 'successor'], found.message, found.remedy)] : [];
  });
}

function duplicateNames(drafts: readonly Draft[]): Mistake[] {
  const seen = new Map<string, string>();
  return drafts.flatMap(({ files: { name, path } }) => {
    const other = seen.get(name.toLowerCase());
    seen.set(name.toLowerCase(), path);
    if (other === undefined) return [];
    return [{ file: path, message: `${other} is an image of the same name`, remedy: 'rename one of the folders' }];
  });
}

function buildImages(
  drafts: readonly Draft[],
  common: { settings: Settings; sets?: PackagesFile },
): { images: Image[]; mistakes: Mistake[] } {
  const golden: Golden = new Map(drafts.map((draft) => [draft.files.name, draft.definition?.line]));
  const nodes = drafts.map((draft) => {
    const found = inputsOf(draft, golden);
    return { name: draft.files.name, parents: parentsOf(found), draft, found };
  });
  const mistakes = [...nodes.flatMap(({ found }) => found.mistakes), ...cycleMistakes(nodes)];
  const images = new Map<string, Image>();
  for (const { draft, found } of parentsFirst(nodes)) {
    const made = toImage(draft, found.inputs, { ...common, images });
    mistakes.push(...made.mistakes);
    if (made.image !== undefined) images.set(made.image.name, made.image);
  }
  return { images: [...images.values()], mistakes };
}

function cycleMistakes(
  nodes: readonly { name: string; parents: readonly string[]; draft: Draft; found: FoundInputs }[],
): Mistake[] {
  return findCycles(nodes).map((ring) => {
    const { draft } = nodes.find(({ name }) => name === ring[0])!;
    const message = `${[...ring, ring[0]].join(' needs ')}: none of them can be built first`;
    const remedy = 'take one of these steps out';
    if (draft.dockerfile === undefined) return draft.document.mistake(['from'], message, remedy);
    return { file: `${draft.files.path}/${DEFINITION}`, message, remedy };
  });
}

/** ingot.yaml, the package sets, then image by image; each file from top to bottom. */
function inOrder(mistakes: readonly Mistake[]): Mistake[] {
  const first = ['ingot.yaml', 'images/packages.yaml'];
  const files = [...first, ...mistakes.map(({ file }) => file).sort()];
  return [...mistakes].sort(
    (a, b) =>
      files.indexOf(a.file) - files.indexOf(b.file) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}
