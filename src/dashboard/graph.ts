import { html, raw } from 'hono/html';
import type { Html } from '../api/pages/page.ts';
import { digestOf } from '../domain/digest.ts';
import { familiesOf, gridOf } from '../domain/plan-families.ts';
import type { ImageView } from '../domain/service/views.ts';
import { familiarName } from '../domain/upstream.ts';
import { type GraphLayout, layoutGraph } from '../lib/graph-layout.ts';
import { imagePath } from './parts/format.ts';

/** Layouts of graphs by what decides them: states come and go, and the picture stays where it is. */
export interface GraphLayouts {
  of(source: string, spread: number): Promise<GraphLayout>;
}

const KEPT = 20;

export function createGraphLayouts(): GraphLayouts {
  const kept = new Map<string, Promise<GraphLayout>>();
  return {
    of(source, spread) {
      const key = digestOf(source);
      const found = kept.get(key) ?? layoutGraph(source, spread);
      kept.delete(key);
      kept.set(key, found);
      if (kept.size > KEPT) kept.delete(kept.keys().next().value!);
      return found;
    },
  };
}

export interface PicturedImage extends Pick<ImageView, 'name' | 'state' | 'parents'> {
  readonly upstreams: readonly string[];
  /** What it is built FROM: other edges are dashed. */
  readonly base?: string | undefined;
  readonly version?: string | undefined;
  /** Why it is not fresh, for a pointer that rests there. */
  readonly why: string;
  /** It does not fit what is looked for. */
  readonly dim: boolean;
}

/** From here on nodes are small, and the picture rather wide than long. */
const MANY = 120;

/** The graph of a fleet as SVG: nodes are links, their classes say their state. */
export async function pictureOf(images: readonly PicturedImage[], layouts: GraphLayouts): Promise<Html> {
  const upstreams = [...new Set(images.flatMap((image) => image.upstreams))].sort();
  const ids = new Map([...upstreams, ...images.map(({ name }) => name)].map((name, index) => [name, `n${index}`]));
  const names = new Map([...ids].map(([name, id]) => [id, name]));
  const known = new Map(images.map((image) => [image.name, image]));
  const layout = await layouts.of(sourceOf(images, upstreams, ids), images.length > MANY ? 6 : 3);
  const [width, height] = [Math.ceil(layout.width) + 8, Math.ceil(layout.height) + 8];
  const edges = layout.edges.map(({ from, to, points }) => {
    const isBase = known.get(names.get(to)!)?.base === names.get(from);
    return { isBase, d: pathOf(points) };
  });
  const lines = (isBase: boolean) =>
    edges
      .filter((edge) => edge.isBase === isBase)
      .map(({ d }) => d)
      .join('');
  return html`<svg width="${width}" height="${height}" viewBox="-4 -4 ${width} ${height}" role="group" aria-label="Images and what they are built from"><path class="edge" d="${lines(true)}"/><path class="edge input" d="${lines(false)}"/>${layout.nodes.map(
    ({ name: id, x, y, width: wide, height: high }) => {
      const name = names.get(id)!;
      const box = raw(
        `<rect x="${round(x - wide / 2)}" y="${round(y - high / 2)}" width="${round(wide)}" height="${round(high)}" rx="5"/>`,
      );
      const image = known.get(name);
      if (image === undefined) {
        return html`<g class="node s-upstream"><title>${name}</title>${box}${label(familiarName(name), x, y + 4)}</g>`;
      }
      const said = `${name} ${image.version ?? ''}: ${image.state}${image.why && `, ${image.why}`}`;
      return html`<a class="node s-${image.state}${image.dim ? ' dim' : ''}" href="${imagePath(name)}"><title>${said}</title>${box}${label(name, x, image.version ? y - 1 : y + 4)}${image.version && label(image.version, x, y + 12, 'sub')}</a>`;
    },
  )}</svg>`;
}

function label(text: string, x: number, y: number, kind = ''): Html {
  return html`<text x="${round(x)}" y="${round(y)}" text-anchor="middle"${kind && html` class="${kind}"`}>${text}</text>`;
}

function sourceOf(images: readonly PicturedImage[], upstreams: readonly string[], ids: ReadonlyMap<string, string>) {
  const families = familiesOf(
    images.map(({ name: image, parents, upstreams: own }) => ({ image, parents, upstreams: own })),
  );
  const grid = gridOf(images.length, new Set(families.values()).size);
  const node = (name: string, shown: string, high: number) => ({
    place: grid.place(families.get(name)!),
    line: `${ids.get(name)} [width=${(Math.max(4, shown.length) * 0.1 + 0.3).toFixed(2)}, height=${high}];`,
  });
  const nodes = [
    ...upstreams.map((name) => node(name, familiarName(name), 0.34)),
    ...images.map(({ name, version }) => node(name, name, version === undefined ? 0.34 : 0.5)),
  ];
  const edges = images.flatMap(({ name, parents, upstreams: own }) =>
    [...own, ...parents].filter((each) => ids.has(each)).map((from) => `${ids.get(from)} -> ${ids.get(name)};`),
  );
  const pack = Object.entries(grid.attributes).map(([key, value]) => `${key}="${value}";`);
  return [
    'digraph fleet { rankdir=LR; nodesep=0.14; ranksep=0.5;',
    ...pack,
    'node [shape=box, fixedsize=true, label=""]; edge [arrowhead=none];',
    ...nodes.sort((a, b) => a.place - b.place).map(({ line }) => line),
    ...edges,
    '}',
  ].join('\n');
}

function pathOf([first, ...rest]: GraphLayout['edges'][number]['points']): string {
  if (first === undefined) return '';
  return `M${round(first[0])},${round(first[1])}C${rest.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}`;
}

function round(value: number): number {
  return Math.round(value);
}
