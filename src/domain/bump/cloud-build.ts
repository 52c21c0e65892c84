import { createDataFormat, type DataPlace, rule } from './data/data-format.ts';
import { image, imageValue } from './data/images.ts';
import { childAt, scalarsOf } from './data/tree.ts';
import type { DataLookup } from './data/variables.ts';

/** Google Cloud Build: the builder of each step, and substitutions. */
export const cloudBuildFormat = createDataFormat({
  id: 'cloud-build',
  isPath: (path) => /(?:^|\/)[\w.-]*cloudbuild[\w.-]*\.(?:ya?ml|json)$/.test(path),
  rules: [rule('steps.*.name', image), rule('substitutions.*', imageValue)],
  variables: ({ root }: DataPlace): DataLookup => {
    return (name) => scalarsOf([childAt(root, 'substitutions', name)]);
  },
});
