import { fieldPlaces, type ImageReader, image, part } from './data/images.ts';
import { present, withVersion } from './data/split-image.ts';
import { scalarOf } from './data/tree.ts';

/** `{ name, newName, newTag, digest }`; with none of the last two it pins nothing. */
export const kustomizeImage: ImageReader = (node, context) => {
  const filled = (key: string) => present(scalarOf(node, key));
  const name = filled('newName') ?? filled('name');
  const [tag, digest] = [filled('newTag'), filled('digest')];
  if (name === undefined || node.kind !== 'map') return [];
  if (tag !== undefined || digest !== undefined) return withVersion([name], { tag, digest }, context);
  if (filled('newName') === undefined) return [];
  return fieldPlaces([name], context).map(({ written, range }) => {
    const unknown = 'its tag is that of the manifests; give newTag';
    return { written, range, pieces: [], unknown };
  });
};

/** `debian=ghcr.io/acme/golden/debian:12.0.0`, as Argo CD writes it. */
export const kustomizeText: ImageReader = (node, context) => {
  if (node.kind !== 'scalar') return [];
  const equals = node.text.indexOf('=');
  return image(equals === -1 ? node : part(node, equals + 1), context);
};
