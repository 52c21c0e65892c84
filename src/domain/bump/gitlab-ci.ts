import { createDataFormat, type DataPlace, rule } from './data/data-format.ts';
import { imageOr, imageValue } from './data/images.ts';
import { childAt, nodesAt, scalarsOf } from './data/tree.ts';
import type { DataLookup } from './data/variables.ts';

/** GitLab CI: images and services of all jobs, and variables that hold an image. */
export const gitlabCiFormat = createDataFormat({
  id: 'gitlab-ci',
  isPath: (path) => /(?:^|\/)[\w.-]*\.gitlab-ci[\w.-]*\.ya?ml$|(?:^|\/)\.gitlab\/.+\.ya?ml$/.test(path),
  rules: [
    rule('image', imageOr('name')),
    rule('services.*', imageOr('name')),
    rule('*.image', imageOr('name')),
    rule('*.services.*', imageOr('name')),
    rule('variables.*', imageValue),
    rule('*.variables.*', imageValue),
  ],
  variables,
});

/** Those of the job stand over those of the pipeline; a matrix gives several; inputs have defaults. */
function variables({ path, root, documents }: DataPlace): DataLookup {
  const job = childAt(root, path[0] ?? '');
  return (name) => {
    const input = /^inputs\.(\w+)/.exec(name)?.[1];
    if (input !== undefined) {
      return scalarsOf(documents.map((document) => childAt(document, 'spec', 'inputs', input, 'default')));
    }
    const matrix = nodesAt(job, `parallel.matrix.*.${name}`);
    const several = matrix.flatMap((node) => (node.kind === 'list' ? node.items : [node]));
    if (several.length > 0) return scalarsOf(several);
    const own = scalarsOf([childAt(job, 'variables', name), childAt(job, 'variables', name, 'value')]);
    if (own.length > 0) return own;
    return scalarsOf([childAt(root, 'variables', name), childAt(root, 'variables', name, 'value')]);
  };
}
