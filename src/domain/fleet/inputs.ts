import { baseOf, type DockerfileReference, type ParsedDockerfile } from '../dockerfile/parse.ts';
import { contextKey, GOLDEN_PREFIX } from '../dockerfile/pin.ts';
import type { Mistake } from '../errors.ts';
import { parseReference, type Reference } from '../reference.ts';
import { upstreamName } from '../upstream.ts';
import { DOCKERFILE, type Draft } from './draft.ts';
import type { ImageFile } from './image.ts';
import { SCRATCH } from './manager.ts';
import type { ImageInput } from './model.ts';
import { suggestion } from './nearest.ts';
import { toTracked, withTracks } from './tracked-inputs.ts';

/** Names of the fleet's images with their lines; the line is absent where the definition has mistakes. */
export type Golden = ReadonlyMap<string, string | undefined>;

export interface FoundInputs {
  readonly inputs: readonly ImageInput[];
  readonly mistakes: readonly Mistake[];
}

export type Told = { readonly message: string; readonly remedy?: string };

/** Every image that the build of a draft uses, base first, each key once. */
export function inputsOf(draft: Draft, golden: Golden): FoundInputs {
  if (draft.definition === undefined) return { inputs: [], mistakes: [] };
  return draft.dockerfile === undefined
    ? renderedInputs(draft, golden)
    : dockerfileInputs(draft, draft.dockerfile, draft.definition, golden);
}

function renderedInputs({ definition, document }: Draft, golden: Golden): FoundInputs {
  const { from } = definition!;
  if (from === undefined || from === SCRATCH) return { inputs: [], mistakes: [] };
  const text = typeof from === 'string' ? from : (from.image ?? `${GOLDEN_PREFIX}${from.golden}`);
  const found =
    typeof from === 'string' && from.startsWith(GOLDEN_PREFIX)
      ? {
          message: `"${from}" is an image of this fleet`,
          remedy: `write { golden: ${from.slice(GOLDEN_PREFIX.length)} }`,
        }
      : typeof from === 'string' || from.track === undefined
        ? toSource(text, golden)
        : toTracked(text, { ...from, track: from.track });
  if ('message' in found) {
    const at = typeof from === 'string' ? ['from'] : ['from', from.image === undefined ? 'golden' : 'image'];
    return { inputs: [], mistakes: [document.mistake(at, found.message, found.remedy)] };
  }
  return { inputs: [{ role: 'base', written: contextKey(text), source: found.source }], mistakes: [] };
}

function dockerfileInputs(
  draft: Draft,
  parsed: ParsedDockerfile,
  { target, track = {} }: ImageFile,
  golden: Golden,
): FoundInputs {
  const path = `${draft.files.path}/${DOCKERFILE}`;
  if (parsed.stages.length === 0)
    return {
      inputs: [],
      mistakes: [{ file: path, line: 1, message: 'it has no FROM', remedy: 'begin with FROM and an image' }],
    };
  const base = baseOf(parsed, target);
  const mistakes: Mistake[] = base === undefined ? [unknownTarget(draft, parsed, target!)] : [];
  const inputs = new Map<string, ImageInput>();
  for (const reference of parsed.references) {
    const found = toInput(reference, golden);
    if ('message' in found) {
      const { line, column } = reference.range;
      mistakes.push({ file: path, line, column, ...found });
      continue;
    }
    const role = reference === base || inputs.get(found.written)?.role === 'base' ? 'base' : 'input';
    inputs.set(found.written, { role, ...found });
  }
  const tracked = withTracks([...inputs.values()], track, draft);
  mistakes.push(...stageMistakes(path, parsed, inputs), ...tracked.mistakes, ...twoNames(path, tracked.inputs));
  const sorted = [...tracked.inputs].sort((a, b) => Number(b.role === 'base') - Number(a.role === 'base'));
  return { inputs: sorted, mistakes };
}

function unknownTarget({ document }: Draft, { stages }: ParsedDockerfile, target: string): Mistake {
  const names = stages.flatMap(({ name }) => (name === undefined ? [] : [name]));
  return document.mistake(['target'], `the Dockerfile has no stage "${target}"`, suggestion(target, names));
}

function toInput(reference: DockerfileReference, golden: Golden): Omit<ImageInput, 'role'> | Told {
  const { resolved, unknown, written, onbuild } = reference;
  if (resolved === undefined) return { message: `"${written}" cannot be pinned: ${unknown}` };
  if (onbuild)
    return {
      message: `ONBUILD uses "${resolved}": it would be resolved, unpinned, by the builds of others`,
      remedy: 'copy what is needed into this image instead',
    };
  const found = toSource(resolved, golden);
  return 'message' in found ? found : { written: contextKey(resolved), source: found.source };
}

function toSource(text: string, golden: Golden): { source: ImageInput['source'] } | Told {
  let reference: Reference;
  try {
    reference = parseReference(text);
  } catch (error) {
    return { message: (error as Error).message };
  }
  if (reference.registry === 'docker.io' && reference.repository.startsWith(GOLDEN_PREFIX))
    return text.startsWith(GOLDEN_PREFIX) ? goldenSource(reference, golden) : ambiguous(text);
  if (reference.tag === undefined && reference.digest === undefined)
    return { message: `"${text}" has no tag`, remedy: `write one, as in ${text}:12-slim` };
  return { source: { upstream: reference } };
}

/** BuildKit knows no difference between the two, so neither can a pin. */
function ambiguous(text: string): Told {
  const name = text.slice(text.indexOf(GOLDEN_PREFIX));
  return {
    message: `"${text}" would be taken for an image of this fleet: names below ${GOLDEN_PREFIX} are kept for these`,
    remedy: `write "${name}" for the fleet's own; an image of that name on Docker Hub has to be copied elsewhere`,
  };
}

function goldenSource({ repository, tag, digest }: Reference, golden: Golden): { source: { golden: string } } | Told {
  const name = repository.slice(GOLDEN_PREFIX.length);
  if (!golden.has(name)) return { message: `there is no image "${name}" in the fleet`, ...remedyFor(name, golden) };
  const line = golden.get(name);
  if (digest !== undefined)
    return {
      message: `"${GOLDEN_PREFIX}${name}" has a digest`,
      remedy: 'remove it: each build pins the newest release',
    };
  if (tag !== undefined && line !== undefined && tag !== line)
    return {
      message: `"${GOLDEN_PREFIX}${name}:${tag}" does not exist`,
      remedy: `its line is "${line}"; write that or no tag`,
    };
  return { source: { golden: name } };
}

function remedyFor(name: string, golden: Golden): { remedy?: string } {
  const remedy = suggestion(name, [...golden.keys()]);
  return remedy === undefined ? {} : { remedy };
}

/** A named context also replaces a stage of that name, all of it (BuildKit, dockerfile2llb/convert.go). */
function stageMistakes(path: string, { stages }: ParsedDockerfile, inputs: ReadonlyMap<string, ImageInput>): Mistake[] {
  return stages
    .filter(({ name }) => name !== undefined && inputs.has(name))
    .map(({ name, line }) => ({
      file: path,
      line,
      message: `the stage "${name}" is named like an image that this Dockerfile uses`,
      remedy: 'give the stage another name',
    }));
}

function twoNames(path: string, inputs: readonly ImageInput[]): Mistake[] {
  const seen = new Map<string, string>();
  return inputs.flatMap(({ written, source }) => {
    const name = 'golden' in source ? source.golden : source.track && upstreamName(source);
    if (name === undefined) return [];
    const other = seen.get(name);
    seen.set(name, written);
    if (other === undefined) return [];
    return [{ file: path, message: `"${other}" and "${written}" are the same image`, remedy: 'write it one way' }];
  });
}
