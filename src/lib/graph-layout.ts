import { Graphviz } from '@hpcc-js/wasm-graphviz';

/** Where a graph's parts are, in points from the upper left corner. */
export interface GraphLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

export interface PlacedNode {
  readonly name: string;
  /** Of the middle. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedEdge {
  readonly from: string;
  readonly to: string;
  /** Control points of a B-spline: the first, then three for each piece. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

const POINTS = 72;

/** Places a graph without drawing it. Names are plain words. @param spread see `Picture` in svg.ts */
export async function layoutGraph(source: string, spread: number): Promise<GraphLayout> {
  const graphviz = await Graphviz.load();
  return parsePlain(graphviz.layout(graphviz.unflatten(source, spread, true, 0), 'plain', 'dot'));
}

/** The format "plain" of Graphviz: inches, from the lower left corner. */
export function parsePlain(text: string): GraphLayout {
  const lines = text.split('\n').map((line) => line.split(' '));
  const [, , wide = '0', high = '0'] = lines.find(([kind]) => kind === 'graph') ?? [];
  const height = Number(high) * POINTS;
  const x = (inches: string | undefined) => Number(inches) * POINTS;
  const y = (inches: string | undefined) => height - Number(inches) * POINTS;
  return {
    ...{ width: Number(wide) * POINTS, height },
    nodes: lines
      .filter(([kind]) => kind === 'node')
      .map(([, name = '', left, down, width, tall]) => ({
        ...{ name, x: x(left), y: y(down), width: x(width), height: x(tall) },
      })),
    edges: lines
      .filter(([kind]) => kind === 'edge')
      .map(([, from = '', to = '', count = '0', ...rest]) => ({
        ...{ from, to },
        points: Array.from(
          { length: Number(count) },
          (_, index) => [x(rest[index * 2]), y(rest[index * 2 + 1])] as const,
        ),
      })),
  };
}
