import { createDataFormat, type DataPlace, rule } from './data/data-format.ts';
import { type ImageReader, image, imageValue } from './data/images.ts';
import { childAt, childrenOf, scalarOf, scalarsOf } from './data/tree.ts';
import type { DataLookup } from './data/variables.ts';

/** Azure Pipelines: containers of resources, jobs and steps, and variables that hold an image. */
export const azurePipelinesFormat = createDataFormat({
  id: 'azure-pipelines',
  isPath: (path) =>
    /(?:^|\/)\.(?:azuredevops|azure-pipelines|pipelines)\/.+\.ya?ml$|azure[^/]*pipelines?[^/]*\.ya?ml$/.test(path),
  rules: [
    rule('resources.containers.*.image', image),
    rule('**.container', container),
    rule('**.container.image', image),
    rule('**.services.*', container),
    rule('**.variables.*', imageValue),
    rule('parameters.*.default', imageValue),
  ],
  variables,
});

/** Without a tag it is the name of a resource, or none of ours. */
function container(...[node, context]: Parameters<ImageReader>): ReturnType<ImageReader> {
  return node.kind === 'scalar' && /[/:]/.test(node.text) ? image(node, context) : [];
}

/** `$(tag)`, `$[variables.tag]` and `${{ parameters.tag }}` by the nearest that is given. */
function variables({ path, root }: DataPlace): DataLookup {
  return (name) => {
    const [, kind, key] = /^(?:(variables|parameters)\.)?([\w.-]+)$/.exec(name) ?? [];
    if (key === undefined) return undefined;
    const lists = kind === 'parameters' ? 'parameters' : 'variables';
    const around = [...path.map((_, index) => path.slice(0, path.length - index)), []];
    for (const above of around) {
      const given = childAt(root, ...above, lists);
      const named = childrenOf(given).filter(({ value }) => scalarOf(value, 'name')?.text === key);
      const found = scalarsOf([
        childAt(given, key),
        ...named.map(({ value }) => childAt(value, kind === 'parameters' ? 'default' : 'value')),
      ]);
      if (found.length > 0) return found;
    }
    return undefined;
  };
}
