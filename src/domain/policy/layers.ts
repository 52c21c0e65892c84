import type { PolicyCheck } from './check.ts';

/** Each layer costs a request and a mount wherever the image is used. */
export const layersCheck: PolicyCheck = {
  id: 'layers',
  run: ({ platforms }, { layers: { level, max } }) =>
    platforms
      .filter(({ layers }) => level !== 'off' && layers > max)
      .map(({ platform, layers }) => ({
        check: 'layers',
        level,
        platform,
        subject: 'layers',
        message: `it has ${layers} layers, ${max} are allowed`,
      })),
};
