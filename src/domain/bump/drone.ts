import { createDataFormat, type DataFormat, type DataPlace, rule } from './data/data-format.ts';
import { image } from './data/images.ts';
import { nodesAt, scalarsOf } from './data/tree.ts';
import type { DataLookup } from './data/variables.ts';

const STEPS: Pick<DataFormat, 'rules' | 'variables'> = { rules: [rule('**.image', image)], variables };

/** Drone and Vela: images of steps, services and plugins. */
export const droneFormat = createDataFormat({
  id: 'drone',
  isPath: (path) => /(?:^|\/)\.(?:drone|vela)\.ya?ml$/.test(path),
  ...STEPS,
});

/** Woodpecker and Crow: images of steps, services and clones. */
export const woodpeckerFormat = createDataFormat({
  id: 'woodpecker',
  isPath: (path) => /(?:^|\/)\.(?:woodpecker|crow)(?:\/.+)?\.ya?ml$/.test(path),
  ...STEPS,
});

/** A variable of a matrix: each of its values. */
function variables({ root }: DataPlace): DataLookup {
  return (name) => scalarsOf([...nodesAt(root, `matrix.${name}.*`), ...nodesAt(root, `matrix.include.*.${name}`)]);
}
