import { createDataFormat } from './data/data-format.ts';
import { nestedImages } from './data/nested.ts';

/** Chart.yaml: the list of images that Artifact Hub shows, which is YAML in a text. */
export const helmChartFormat = createDataFormat({
  id: 'helm-chart',
  isPath: (path) => /(?:^|\/)Chart\.ya?ml$/.test(path),
  rules: [{ at: ['annotations', 'artifacthub.io/images'], read: nestedImages }],
});
