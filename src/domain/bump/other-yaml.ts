import { createDataFormat, rule } from './data/data-format.ts';
import type { ImageReader } from './data/images.ts';
import { anyImage } from './data/split-image.ts';
import { childAt, scalarOf } from './data/tree.ts';
import type { PinFormat } from './format.ts';

/**
 * YAML of a kind that is not known (Buildkite, Ansible, Helmfile, an organisation's own): keys that end in `image`.
 * @param known formats that know better what their paths mean
 */
export function otherYamlFormat(known: readonly PinFormat[]): PinFormat {
  return createDataFormat({
    id: 'other-yaml',
    isPath: (path) => /\.ya?ml$/.test(path) && !known.some((format) => format.isPath(path)),
    isDocument: (root) => scalarOf(root, 'apiVersion') === undefined,
    rules: [rule('**', imageOfNoBuild)],
  });
}

/** With `build` beside it, `image` is the name of what is built. */
function imageOfNoBuild(...[node, context]: Parameters<ImageReader>): ReturnType<ImageReader> {
  return childAt(node, 'build') === undefined ? anyImage(node, context) : [];
}
