import { eachOnce } from '../code/values.ts';
import type { PinFormat } from '../format.ts';
import { createPlaceRange, type ImagePlace } from '../place.ts';
import { createTextFormat } from '../text-format.ts';
import type { ImageReader } from './images.ts';
import { readJson } from './json.ts';
import { rawPlaces } from './raw.ts';
import { maskTemplates } from './templates.ts';
import { type DataNode, type DataPath, fitsPath, visitData } from './tree.ts';
import type { DataLookup } from './variables.ts';
import { readYaml } from './yaml.ts';

/** What tells one kind of YAML or JSON from another. */
export interface DataFormat {
  readonly id: string;
  readonly isPath: (path: string) => boolean;
  /** Whether a text is worth reading; for kinds of files that any path may hold. */
  readonly isText?: (text: string) => boolean;
  /** Whether a document is of this kind. */
  readonly isDocument?: (root: DataNode) => boolean;
  readonly rules: readonly DataRule[];
  /** What variables stand for at a place of a document. */
  readonly variables?: (at: DataPlace) => DataLookup;
}

/** Where in a document images are named (`jobs.*.container`), and how. */
export interface DataRule {
  readonly at: readonly string[];
  readonly read: ImageReader;
}

export interface DataPlace {
  readonly path: DataPath;
  readonly root: DataNode;
  readonly documents: readonly DataNode[];
}

export function rule(at: string, read: ImageReader): DataRule {
  return { at: at.split('.'), read };
}

/** A format of YAML (or JSON, with comments) documents: images stand at known places. */
export function createDataFormat(format: DataFormat): PinFormat {
  return createTextFormat({ id: format.id, isPath: format.isPath, places: (text) => dataPlaces(text, format) });
}

/** The images that a text names by the rules of a format. Never fails. */
export function dataPlaces(text: string, format: DataFormat): readonly ImagePlace[] {
  if (format.isText?.(text) === false) return [];
  const file = readData(text);
  if ('broken' in file) return rawPlaces(text, file.broken);
  try {
    const documents = file.documents.filter((root) => format.isDocument?.(root) !== false);
    return eachOnce(documents.flatMap((root) => placesIn({ root, documents: file.documents, text }, format))).sort(
      (a, b) => a.range.start - b.range.start,
    );
  } catch (error) {
    return rawPlaces(
      text,
      error instanceof Error && error.message !== '' ? error.message : 'it refers to itself too often',
    );
  }
}

/** JSON is YAML but for comments and tabs, which editors put into it. */
function readData(text: string) {
  const isJson = /^\uFEFF?\s*(?:\{\s*["}/]|\[\s*["{[\]/]|\/[/*])/.test(text);
  const json = isJson ? readJson(text) : undefined;
  return json !== undefined && 'documents' in json ? json : readYaml(maskTemplates(text));
}

function placesIn(
  { root, documents, text }: { root: DataNode; documents: readonly DataNode[]; text: string },
  { rules, variables = () => () => undefined }: DataFormat,
): ImagePlace[] {
  const rangeOf = createPlaceRange(text);
  const places: ImagePlace[] = [];
  visitData(root, (path, node) => {
    const fitting = rules.filter(({ at }) => fitsPath(path, at));
    if (fitting.length === 0) return;
    const context = { text, rangeOf, path, lookup: variables({ path, root, documents }) };
    for (const { read } of fitting) places.push(...read(node, context));
  });
  return places;
}
