import { createDataFormat, rule } from './data/data-format.ts';
import { assignments, image, imageValue } from './data/images.ts';

/** Development containers: the image, and what a build is given. Comments stay. */
export const devcontainerFormat = createDataFormat({
  id: 'devcontainer',
  isPath: (path) => /(?:^|\/)(?:\.devcontainer(?:\/[^/]+)?\/)?\.?devcontainer\.json$/.test(path),
  rules: [rule('image', image), rule('build.args', assignments(imageValue))],
});
