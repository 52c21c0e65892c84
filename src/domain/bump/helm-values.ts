import { createDataFormat, rule } from './data/data-format.ts';
import { anyImage } from './data/split-image.ts';

/** Values of Helm charts: images as one text or split over fields. */
export const helmValuesFormat = createDataFormat({
  id: 'helm-values',
  isPath: (path) => /(?:^|\/)(?:[\w.-]*[._-])?values(?:[._-][\w.-]*)?\.ya?ml$/i.test(path),
  rules: [rule('**', anyImage)],
});
