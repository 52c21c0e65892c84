import type { ViewedImage } from './plan-view.ts';

type Node = Pick<ViewedImage, 'image' | 'parents' | 'upstreams'>;

/** Numbers what hangs together, from 1 in the order of its first image, so that each family is drawn on its own. */
export function familiesOf(views: readonly Node[]): ReadonlyMap<string, number> {
  const names = [...views.map(({ image }) => image), ...views.flatMap(({ upstreams }) => upstreams)];
  const joined = new Map(names.map((name) => [name, name]));
  const headOf = (name: string): string => {
    const next = joined.get(name)!;
    return next === name ? name : headOf(next);
  };
  for (const { image, parents, upstreams: own } of views) {
    for (const source of [...own, ...parents]) if (joined.has(source)) joined.set(headOf(source), headOf(image));
  }
  const numbers = new Map<string, number>();
  const numberOf = (head: string) => {
    numbers.set(head, numbers.get(head) ?? numbers.size + 1);
    return numbers.get(head)!;
  };
  return new Map(names.map((name) => [name, numberOf(headOf(name))]));
}

/** Images that one column of families can hold and be read. */
const COLUMN = 60;

/**
 * Sets many families side by side, the first of them in the upper left corner, the legend below its column. Graphviz
 * packs in the order of the source, a cluster first, and before `rankdir` turns the picture: a row of the packing is
 * a column of the picture, from its bottom to its top.
 */
export function gridOf(images: number, families: number) {
  const parts = families + 1;
  const columns = Math.max(1, Math.min(families, Math.round(Math.sqrt(images / COLUMN))));
  const rows = Math.ceil(parts / columns);
  const attributes: Readonly<Record<string, string>> = columns === 1 ? {} : { pack: '24', packmode: `array_ul${rows}` };
  return {
    attributes,
    /** The legend is 0, families count from 1; nodes are declared in this order. */
    place(part: number): number {
      const first = Math.floor(part / rows) * rows;
      return first + Math.min(rows, parts - first) - 1 - (part - first);
    },
  };
}
