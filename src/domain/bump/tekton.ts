import { createDataFormat, type DataPlace, rule } from './data/data-format.ts';
import { image, imageValue } from './data/images.ts';
import { anyImage } from './data/split-image.ts';
import { childAt, childrenOf, type DataNode, scalarOf, scalarsOf } from './data/tree.ts';
import type { DataLookup } from './data/variables.ts';

/** Tekton: steps, sidecars and templates of tasks, bundles, and parameters that are an image. */
export const tektonFormat = createDataFormat({
  id: 'tekton',
  isPath: (path) => /\.ya?ml$/.test(path),
  isText: (text) => text.includes('tekton.dev/'),
  isDocument: (root) => scalarOf(root, 'apiVersion')?.text.startsWith('tekton.dev/') === true,
  rules: [
    rule('**', anyImage),
    rule('**.bundle', image),
    rule('**.params.*.default', imageValue),
    rule('**.params.*', imageValue),
    rule('**.env.*', imageValue),
  ],
  variables,
});

/** `$(params.tag)` by the default of the nearest list of parameters around. */
function variables({ path, root }: DataPlace): DataLookup {
  return (name) => {
    const parameter = /^(?:inputs\.)?params(?:\.([\w-]+)|\[["']([\w.-]+)["']\])$/.exec(name)?.slice(1).find(Boolean);
    if (parameter === undefined) return undefined;
    const around = [...path.map((_, index) => path.slice(0, path.length - index)), []];
    const found = around.map((above) => declared(childAt(root, ...above, 'params'), parameter));
    return scalarsOf([found.find((node) => node !== undefined)]);
  };
}

function declared(params: DataNode | undefined, name: string): DataNode | undefined {
  const found = childrenOf(params).find(({ value }) => scalarOf(value, 'name')?.text === name);
  return childAt(found?.value, 'default');
}
