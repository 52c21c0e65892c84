import { html, raw } from 'hono/html';
import type { Html } from '../api/pages/page.ts';
import { digestOf } from '../domain/digest.ts';
import { familiesOf } from '../domain/plan-families.ts';
import type { ImageView } from '../domain/service/views.ts';
import { familiarName } from '../domain/upstream.ts';
import { type GraphLayout, layoutGraph } from '../lib/graph-layout.ts';
import { type PlacedBox, packColumns } from './pack.ts';
import { imagePath } from './parts/format.ts';

/** Layouts of graphs by what decides them: states come and go, and the picture stays where it is. */
export interface GraphLayouts {
  of(source: string): Promise<GraphLayout>;
}

/** More families than any fleet has. */
const KEPT = 1000;
/** Children of one parent are spread over so many ranks, so that a wide family does not become a long list. */
const SPREAD = 2;

export function createGraphLayouts(): GraphLayouts {
  const kept = new Map<string, Promise<GraphLayout>>();
  return {
    of(source) {
      const key = digestOf(source);
      const found = kept.get(key) ?? layoutGraph(source, SPREAD);
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

/** The graph of a fleet as SVG: nodes are links, their classes say their state. What hangs together is drawn together. */
export async function pictureOf(images: readonly PicturedImage[], layouts: GraphLayouts): Promise<Html> {
  const nodes = images.map(({ name: image, parents, upstreams }) => ({ image, parents, upstreams }));
  const families = familiesOf(nodes);
  const groups = [...Map.groupBy(images, ({ name }) => families.get(name)!).values()];
  const drawn = await Promise.all(groups.map((group) => familyOf(group, layouts)));
  const { width, height, boxes } = packColumns(drawn.map(({ layout }) => layout));
  return html`<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="group" aria-label="Images and what they are built from">${drawn.map(
    (family, index) => drawFamily(family, boxes[index]!),
  )}</svg>`;
}

interface Family {
  readonly layout: GraphLayout;
  readonly known: ReadonlyMap<string, PicturedImage>;
  readonly names: ReadonlyMap<string, string>;
}

async function familyOf(images: readonly PicturedImage[], layouts: GraphLayouts): Promise<Family> {
  const upstreams = [...new Set(images.flatMap((image) => image.upstreams))].sort();
  const ids = new Map([...upstreams, ...images.map(({ name }) => name)].map((name, index) => [name, `n${index}`]));
  return {
    layout: await layouts.of(sourceOf(images, upstreams, ids)),
    known: new Map(images.map((image) => [image.name, image])),
    names: new Map([...ids].map(([name, id]) => [id, name])),
  };
}

/** Names are in the picture as numbers: what they are made of matters to nobody there. */
function sourceOf(images: readonly PicturedImage[], upstreams: readonly string[], ids: ReadonlyMap<string, string>) {
  const node = (name: string, shown: string, high: number) =>
    `${ids.get(name)} [width=${(Math.max(4, shown.length) * 0.094 + 0.22).toFixed(2)}, height=${high}];`;
  const edges = images.flatMap(({ name, parents, upstreams: own }) =>
    [...own, ...parents].filter((each) => ids.has(each)).map((from) => `${ids.get(from)} -> ${ids.get(name)};`),
  );
  return [
    'digraph family { rankdir=LR; nodesep=0.12; ranksep=0.34;',
    'node [shape=box, fixedsize=true, label=""]; edge [arrowhead=none];',
    ...upstreams.map((name) => node(name, shortName(name), 0.34)),
    ...images.map(({ name, version }) => node(name, name, version === undefined ? 0.3 : 0.46)),
    ...edges,
    '}',
  ].join('\n');
}

function drawFamily({ layout, known, names }: Family, { x: left, y: top }: PlacedBox): Html {
  const lines = (isBase: boolean) =>
    layout.edges
      .filter(({ from, to }) => (known.get(names.get(to)!)?.base === names.get(from)) === isBase)
      .map(({ points }) => pathOf(points))
      .join('');
  const dashed = lines(false);
  return html`<g transform="translate(${left} ${top})"><path class="edge" d="${lines(true)}"/>${
    dashed && html`<path class="edge input" d="${dashed}"/>`
  }${layout.nodes.map((node) => drawNode(names.get(node.name)!, known.get(names.get(node.name)!), node))}</g>`;
}

function drawNode(
  name: string,
  image: PicturedImage | undefined,
  { x, y, width, height }: GraphLayout['nodes'][number],
) {
  const corner = `x="${round(x - width / 2)}" y="${round(y - height / 2)}"`;
  const box = raw(`<rect ${corner} width="${round(width)}" height="${round(height)}" rx="5"/>`);
  if (image === undefined) {
    return html`<g class="node s-upstream"><title>${name}</title>${box}${label(shortName(name), x, y + 4)}</g>`;
  }
  const { state, version, why, dim } = image;
  return html`<a class="node s-${state}${dim ? ' dim' : ''}" href="${imagePath(name)}"><title>${name}: ${state}${
    why && `, ${why}`
  }</title>${box}${label(name, x, version ? y - 1 : y + 4)}${version && label(version, x, y + 12, 'sub')}</a>`;
}

/** The whole name is what a pointer that rests there is told. */
function shortName(upstream: string): string {
  return familiarName(upstream).split('/').at(-1)!;
}

function label(text: string, x: number, y: number, kind = ''): Html {
  return html`<text x="${round(x)}" y="${round(y)}"${kind && html` class="${kind}"`}>${text}</text>`;
}

function pathOf([first, ...rest]: GraphLayout['edges'][number]['points']): string {
  if (first === undefined) return '';
  return `M${round(first[0])},${round(first[1])}C${rest.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}`;
}

function round(value: number): number {
  return Math.round(value);
}
