import { composeDockerfile } from './compose-dockerfile.ts';
import { createDataFormat, rule } from './data/data-format.ts';
import { assignments, dockerImageUri, type ImageReader, image, imageValue } from './data/images.ts';
import { childAt, type DataNode, scalarOf } from './data/tree.ts';

/** Compose: images of services, what builds are given, and extensions; `${VAR:-default}` by its default. */
export const composeFormat = createDataFormat({
  id: 'compose',
  isPath: (path) => /(?:^|\/)(?:[\w.-]*[._-])?(?:docker-stack|(?:docker-)?compose)[^/]*\.ya?ml$/i.test(path),
  isDocument: (root) => scalarOf(root, 'apiVersion') === undefined,
  rules: [
    rule('services.*', service),
    rule('*', oldOrExtension),
    rule('*.*', oldOrExtension),
    rule('*.*.*', oldOrExtension),
    rule('**.build.args', assignments(imageValue)),
    rule('**.build.additional_contexts', assignments(dockerImageUri)),
    rule('**.build.dockerfile_inline', composeDockerfile),
    rule('services.*.volumes.*', imageVolume),
  ],
});

/** With `build` beside it, `image` is the name of what is built. */
function service(...[node, context]: Parameters<ImageReader>): ReturnType<ImageReader> {
  const found = childAt(node, 'image');
  return found === undefined || isBuilt(node) ? [] : image(found, context);
}

/** Files of the first version have services at the top; extensions (`x-…`) hold parts of services. */
function oldOrExtension(...[node, context]: Parameters<ImageReader>): ReturnType<ImageReader> {
  const [top = ''] = context.path;
  if (top.startsWith('x-'))
    return node.kind === 'scalar' && context.path.length === 1 ? imageValue(node, context) : service(node, context);
  return context.path.length === 1 && !/^(?:services|volumes|networks|configs|secrets)$/.test(top)
    ? service(node, context)
    : [];
}

function imageVolume(...[node, context]: Parameters<ImageReader>): ReturnType<ImageReader> {
  const source = childAt(node, 'source');
  return scalarOf(node, 'type')?.text === 'image' && source !== undefined ? image(source, context) : [];
}

function isBuilt(node: DataNode): boolean {
  const build = childAt(node, 'build');
  return build !== undefined && (build.kind !== 'scalar' || build.text !== '');
}
