import { type ContentDiff, diffConfig, diffContent, diffFiles } from '../domain/content-diff.ts';
import type { Reference } from '../domain/reference.ts';
import type { Call, Registry } from '../registry/registry.ts';
import { type ImageParts, readPair } from './content.ts';

export interface ComparedContent {
  readonly before: ImageParts;
  readonly after: ImageParts;
  readonly diff: ContentDiff;
}

/** What differs between two platform images; the file trees are let go. Parameters and errors: see `readPair`. */
export async function compareContent(
  registry: Registry,
  references: readonly [Reference, Reference],
  call: Call = {},
): Promise<ComparedContent> {
  const { before, after, files } = await readPair(registry, references, call);
  if (files === 'same') {
    const config = diffConfig(before.config, after.config);
    return { before, after, diff: { files: diffFiles(new Map(), new Map()), config } };
  }
  const [old, now] = [
    { config: before.config, files: files.before },
    { config: after.config, files: files.after },
  ];
  return { before, after, diff: diffContent(old, now) };
}
