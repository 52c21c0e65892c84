import type { Digest } from '../digest.ts';
import type { Mistake } from '../errors.ts';
import type { SourceText } from './document.ts';

/** Everything that was read from disk for a fleet: plain data. Paths in messages are relative to the root. */
export interface FleetFiles {
  /** Absolute path of the folder of ingot.yaml. */
  readonly root: string;
  readonly settings: SourceText;
  readonly packages?: SourceText;
  readonly images: readonly ImageFiles[];
  /** What was already wrong when reading: a symbolic link, a file too large. */
  readonly mistakes?: readonly Mistake[];
}

/** One folder in images/. */
export interface ImageFiles {
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  /** As messages name it: `images/python`. */
  readonly path: string;
  /** By path below the folder: the texts of its Dockerfile and of all YAML files outside context/. */
  readonly texts: Readonly<Record<string, string>>;
  /** By path below the folder: all its files. */
  readonly files: Readonly<Record<string, ContentFile>>;
}

export interface ContentFile {
  readonly digest: Digest;
  readonly executable: boolean;
}

export function sourceText(image: ImageFiles, file: string): SourceText | undefined {
  const text = image.texts[file];
  return text === undefined ? undefined : { path: `${image.path}/${file}`, text };
}
