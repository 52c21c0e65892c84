import { createDataFormat, type DataPlace, rule } from './data/data-format.ts';
import { image, imageValue } from './data/images.ts';
import { childAt, scalarsOf } from './data/tree.ts';
import type { DataLookup } from './data/variables.ts';

/** CircleCI: `docker` of jobs and executors, and parameters whose default is an image. */
export const circleciFormat = createDataFormat({
  id: 'circleci',
  isPath: (path) => /(?:^|\/)\.circleci\/.+\.ya?ml$/.test(path),
  rules: [rule('**.docker.*.image', image), rule('**.parameters.*.default', imageValue)],
  variables,
});

/** `<< parameters.tag >>` of the job or executor around, `<< pipeline.parameters.tag >>` of the file. */
function variables({ path, root }: DataPlace): DataLookup {
  return (name) => {
    const [, pipeline, parameter] = /^(pipeline\.)?parameters\.([\w-]+)$/.exec(name) ?? [];
    if (parameter === undefined) return undefined;
    if (pipeline !== undefined) return scalarsOf([childAt(root, 'parameters', parameter, 'default')]);
    const around = path.map((_, index) => path.slice(0, path.length - index));
    const found = around.map((above) => childAt(root, ...above, 'parameters', parameter, 'default'));
    return scalarsOf([found.find((node) => node !== undefined)]);
  };
}
