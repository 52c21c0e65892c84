import { createDataFormat, rule } from './data/data-format.ts';
import { anyImage } from './data/split-image.ts';
import { kustomizeImage } from './kustomize-image.ts';

/** Kustomize: `images`, and values that it gives to charts. */
export const kustomizeFormat = createDataFormat({
  id: 'kustomize',
  isPath: (path) => /(?:^|\/)kustomization(?:\.ya?ml)?$/i.test(path),
  rules: [rule('images.*', kustomizeImage), rule('helmCharts.*.valuesInline.**', anyImage)],
});
