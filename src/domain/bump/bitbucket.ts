import { createDataFormat, rule } from './data/data-format.ts';
import { dockerUri, imageOr } from './data/images.ts';

/** Bitbucket Pipelines: images of the file, of steps and services, and pipes by image. */
export const bitbucketFormat = createDataFormat({
  id: 'bitbucket',
  isPath: (path) => /(?:^|\/)[\w.-]*-pipelines\.ya?ml$/.test(path) && !path.includes('azure'),
  rules: [rule('**.image', imageOr('name')), rule('**.pipe', dockerUri)],
});
