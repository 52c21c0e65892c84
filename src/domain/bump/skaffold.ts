import { createDataFormat, rule } from './data/data-format.ts';
import { assignments, image, imageValue } from './data/images.ts';
import { scalarOf } from './data/tree.ts';

/** Skaffold: what builds start from. `image` of an artifact is the name of what is built. */
export const skaffoldFormat = createDataFormat({
  id: 'skaffold',
  isPath: (path) => /\.ya?ml$/.test(path),
  isText: (text) => text.includes('skaffold/'),
  isDocument: (root) => scalarOf(root, 'apiVersion')?.text.startsWith('skaffold/') === true,
  rules: [
    rule('**.buildArgs', assignments(imageValue)),
    rule('**.build-args', assignments(imageValue)),
    rule('**.fromImage', image),
    rule('**.buildpacks.builder', image),
    rule('**.buildpacks.runImage', image),
    rule('**.kaniko.image', image),
    rule('**.kaniko.initImage', image),
    rule('**.container.image', image),
    rule('**.containers.*.image', image),
    rule('**.setValues.*', imageValue),
  ],
});
