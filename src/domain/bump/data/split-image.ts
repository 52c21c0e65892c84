import type { ImagePlace } from '../place.ts';
import { fieldPlaces, type ImageReader, image, type ReadContext } from './images.ts';
import { type DataMap, type DataScalar, scalarOf } from './tree.ts';

const IMAGE_KEY = /image(?:_?(?:ref(?:erence)?|name|ur[il]))?$/i;

/**
 * Images of a map, in the ways that charts and manifests write them: `…image: debian:12`, `…image: { registry,
 * repository, tag, digest }`, `{ repository, tag }`, and `image`, `imageTag` side by side.
 */
export const anyImage: ImageReader = (node, context) => {
  if (node.kind !== 'map') return [];
  const split = splitImage(node, context);
  if (split !== undefined) return split;
  return node.entries.flatMap(({ key, value }) => {
    if (value.kind !== 'scalar' || !IMAGE_KEY.test(key)) return [];
    return besideImage(node, key, value, context) ?? image(value, context);
  });
};

/** `{ registry?, repository, tag | version, digest }` */
export const splitImageOf: ImageReader = (node, context) =>
  node.kind === 'map' ? (splitImage(node, context) ?? []) : [];

function splitImage(node: DataMap, context: ReadContext): readonly ImagePlace[] | undefined {
  const filled = (key: string) => present(scalarOf(node, key));
  const isNamed = /image$/i.test(context.path.at(-1) ?? '');
  const base = filled('repository') ?? filled('imageRepository') ?? (isNamed ? filled('name') : undefined);
  const tag = filled('tag') ?? filled('version') ?? filled('imageTag');
  const digest = filled('digest') ?? filled('imageDigest') ?? filled('sha');
  // `repository: nvcr.io/nvidia`, `image: driver`, `version: 1.2.3`
  const last = filled('repository') && (filled('image') ?? (isNamed ? filled('name') : undefined));
  const only = base ?? (tag === undefined && digest === undefined ? undefined : withoutTag(filled('image')));
  if (only === undefined) return undefined;
  if (tag === undefined && digest === undefined && !isNamed) return undefined;
  const registry = filled('registry');
  const name = [...(registry === undefined ? [] : [registry, '/']), only, ...(last === undefined ? [] : ['/', last])];
  return withVersion(name, { tag, digest }, context);
}

/** `image: debian` beside `imageTag: 12.0.0`. */
function besideImage(
  node: DataMap,
  key: string,
  value: DataScalar,
  context: ReadContext,
): readonly ImagePlace[] | undefined {
  const tag = present(scalarOf(node, `${key}Tag`)) ?? present(scalarOf(node, `${key}Version`));
  const digest = present(scalarOf(node, `${key}Digest`));
  if ((tag === undefined && digest === undefined) || withoutTag(value) === undefined) return undefined;
  return withVersion([value], { tag, digest }, context);
}

/** A name with what stands beside it; a tag that holds a digest (`12@sha256:…`) needs no other. */
export function withVersion(
  name: readonly (DataScalar | string)[],
  { tag, digest }: { tag?: DataScalar | undefined; digest?: DataScalar | undefined },
  context: ReadContext,
): readonly ImagePlace[] {
  const own = tag?.text.includes('@') ? undefined : digest;
  const sign = own?.text.includes(':') ? '@' : '@sha256:';
  return fieldPlaces(
    [...name, ...(tag === undefined ? [] : [':', tag]), ...(own === undefined ? [] : [sign, own])],
    context,
  );
}

export function present(scalar: DataScalar | undefined): DataScalar | undefined {
  return scalar === undefined || /^(?:|null|~)$/.test(scalar.text) ? undefined : scalar;
}

function withoutTag(scalar: DataScalar | undefined): DataScalar | undefined {
  return scalar !== undefined && /^[^@]*?(?:\/[^:@]*|[^:@/]*)$/.test(scalar.text) ? scalar : undefined;
}
