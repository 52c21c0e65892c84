import { type ContentDiff, diffConfig, diffFiles } from '../domain/content-diff.ts';
import type { Reference } from '../domain/reference.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { type ImageParts, readPair, readParts } from './content.ts';

export interface ComparedContent {
  readonly before: ImageParts;
  readonly after: ImageParts;
  readonly diff: ContentDiff;
}

export interface CompareOptions extends Call {
  /** It is enough to know that something differs: no layer is read when the configs do. Default no. */
  readonly brief?: boolean | undefined;
}

/** What differs between two platform images; the file trees are let go. Parameters and errors: see `readPair`. */
export async function compareContent(
  registry: Registry,
  references: readonly [Reference, Reference],
  { brief = false, ...call }: CompareOptions = {},
): Promise<ComparedContent> {
  const [before, after] = await Promise.all([
    readParts(registry, references[0], call),
    readParts(registry, references[1], call),
  ]);
  const config = diffConfig(before.config, after.config);
  const files = brief && config.length > 0 ? 'same' : await readPair(registry, references, [before, after], call);
  const diff = files === 'same' ? diffFiles(new Map(), new Map()) : diffFiles(files.before, files.after);
  return { before, after, diff: { files: diff, config } };
}
